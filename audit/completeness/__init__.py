"""Expected against seen: what can be said of one source and one window."""
