"""What a responder says, by one name each: forms, pages, mails, cases and packs use these words, and docs/responder.md explains them."""

from collections.abc import Iterable

WHY_NOW = "Why now"
KIND_OF_TROUBLE = "Kind of trouble"
REASON = "Reason"
INTENDED_ACTIONS = "Intended actions"
INCIDENT = "Incident"

LEFT_OUT = {
    "incident": INCIDENT.lower(),
    "intended classes": INTENDED_ACTIONS.lower(),
    "category": KIND_OF_TROUBLE.lower(),
    "a longer reason": "a longer reason",
}
"""What a bypass may owe, as the log keeps it, and as people read it."""


def left_out(owed: object) -> str:
    """``intended classes`` -> ``intended actions``; an unknown word stays."""
    return LEFT_OUT.get(str(owed), str(owed))


def gave(trouble: str, actions: Iterable[str], incident: str) -> str:
    """What a bypass had left out and was given later beside a longer reason, of words as people read them; what was not given is left out."""
    said = (KIND_OF_TROUBLE, trouble), (INTENDED_ACTIONS, ", ".join(actions)), (INCIDENT, incident)
    return " ".join(f"{name}: {value}." for name, value in said if value)
