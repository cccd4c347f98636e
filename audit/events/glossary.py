"""What a responder says, by one name each: forms, pages, mails, cases and packs use these words, and docs/responder.md explains them."""

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
