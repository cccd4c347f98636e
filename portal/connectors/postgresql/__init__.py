"""Targets that are PostgreSQL servers of version 15 and later."""
