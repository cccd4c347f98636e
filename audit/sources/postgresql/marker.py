"""What ties a session on this kind of target to its grant: the login. The portal imports nothing else of a source."""

from audit.sources.marker import marker_for, number_of

__all__ = ["marker_for", "number_of"]
