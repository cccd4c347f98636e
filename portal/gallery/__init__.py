"""Every component on one page, in short and in long words: for development and the demo, never in production."""
