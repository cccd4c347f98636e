"""A target kept in a file, for demonstrations and tests."""
