"""One line of a drill sheet."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

Result = Literal["ok", "failed", "open", "none"]
TITLES = {
    "told": "Approvers were told", "answered": "Somebody answered", "approved": "Approved", "opened": "Access opened",
    "gathered": "What was done came back", "record": "The record is complete", "ended": "Access ended, and the target confirmed it",
    "rotated": "Rotation done", "cards": "Offline cards tried",
}  # fmt: skip


@dataclass(frozen=True)
class Step:
    """One line of the sheet. ``at`` in ms since 1970 UTC."""

    name: str
    result: Result
    told: str
    at: int | None = None

    @property
    def title(self) -> str:
        """In the words of the sheet."""
        return TITLES[self.name]

    def plain(self) -> dict[str, Any]:
        """As it is kept."""
        return asdict(self)


def seconds(ms: int) -> str:
    """``0.8 s``, ``12 s``, ``4 min``, ``5 h``."""
    if ms < 10_000:
        return f"{max(ms, 0) / 1000:.1f} s"
    if ms < 7_200_000:
        return f"{ms // 1000} s" if ms < 120_000 else f"{ms // 60_000} min"
    return f"{ms // 3_600_000} h"
