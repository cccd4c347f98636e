"""Pages of sealed accounts and of their offline cards."""
