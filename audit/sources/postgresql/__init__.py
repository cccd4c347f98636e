"""The log of a PostgreSQL server in the jsonlog format (15 and later)."""
