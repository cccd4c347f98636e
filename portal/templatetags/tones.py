"""How states look: the word's tone and icon, in one table. Unknown words are shown as they are, quietly."""

from dataclasses import dataclass
from typing import Literal

Tone = Literal["quiet", "accent", "good", "attention", "glass", "broken"]


@dataclass(frozen=True)
class Look:
    label: str
    tone: Tone
    icon: str


# Red ("glass" outlined, "broken" filled) stands for an open glass and a bypass, for nothing else.
_LOOKS: dict[tuple[Tone, str], str] = {
    ("broken", "bolt"): "bypass",
    ("glass", "lock-open"): "active open",
    ("glass", "hourglass"): "closing",
    ("accent", "circle-dashed"): "opening authorised claimed running started in_review",
    ("accent", "eye"): "seen looked_at in_progress",
    ("attention", "clock"): "pending requested awaiting waiting due owed late queued unsealed waits",
    (
        "attention",
        "alert-triangle",
    ): "failed gap overdue deviation exception attention drift orphan suspended down amiss",
    (
        "good",
        "circle-check",
    ): "delivered approved complete completed reconciled kept keep passed pass healthy accepted verified done",
    ("good", "shield-lock"): "sealed signed",
    ("quiet", "lock"): "ended closed returned expired",
    ("quiet", "ban"): "declined revoked revoke refused discarded",
    ("quiet", "arrow-left"): "withdrawn handed_over",
    ("quiet", "hourglass"): "lapsed",
    ("quiet", "help-circle"): "unknown not_covered inconclusive",
    ("quiet", "activity"): "drill",
    ("quiet", "pencil"): "draft modify",
}
_BY_WORD = {word: look for look, words in _LOOKS.items() for word in words.split()}


def look_of(state: str) -> Look:
    """The look of a state by its stored word (`not_covered` and "not covered" are the same)."""
    word = state.strip().lower().replace(" ", "_").replace("-", "_")
    tone, icon = _BY_WORD.get(word, ("quiet", "circle-dashed"))
    return Look(label=word.replace("_", " ").capitalize(), tone=tone, icon=icon)


def words() -> list[str]:
    """All words that have a look of their own."""
    return list(_BY_WORD)
