"""Times in sentences."""

from datetime import UTC, datetime


def clock(at: int) -> str:
    """``2026-09-15 02:10:04.250 UTC``."""
    moment = datetime.fromtimestamp(at / 1000, UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S}.{at % 1000:03d} UTC"
