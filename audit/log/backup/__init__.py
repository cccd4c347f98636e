"""Backups of the log and of all that lies beside it, and the way back from them: docs/decisions/014."""
