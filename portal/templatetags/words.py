"""Stored words of systems and findings as people read them: `{% load words %}`. What is in no table is shown as it is stored."""

from django import template

from audit.events import glossary
from audit.log.read import LoggedEvent
from portal.people import factors
from portal.policy.rules import CATEGORIES, CLASSES
from portal.systems.facts import WORDS
from portal.systems.forms import COUNTING
from portal.systems.offers import KINDS

register = template.Library()

_KINDS, _COUNTING = dict(KINDS), dict(COUNTING)
FINDINGS = {
    "review_answer": "An adverse answer of a reviewer",
    "by hand": "Raised by a person",
    "orphan session": "A session that no grant explains",
    "gap": "Missing records",
    "log damage": "Damage of the log",
    "log late": "What keeps the log, and is late",
    "log rights": "Somebody who could alter the stored log",
    "backup": "Backups that are not made",
    "rehearsal": "A restore that was not rehearsed, or failed",
    "loss": "Lost records",
    "log loss": "Entries of the log that were lost",
    "weaker logging": "A target that logs less",
    "drift": "A target that changed during a use",
    "not ended": "An access that could not be ended",
    "standing_access": "Standing access that is to be removed",
    "removal_failed": "A removal that the target does not show",
    "missed duty": "Something not done by its time",
    "drill": "A drill that failed",
    "offline use": "A use of offline cards",
    "sealed account": "A sealed account that needs a look",
    "table and log": "Tables and log that differ",
    "unreadable entry": "An entry of the log that could not be read",
}
"""What findings come from; the kinds of ``portal/findings/causes.py`` and of who raises them."""
MORE_NAMES = {
    "database": "Database",
    "lateness_ms": "How late a line may come",
    "heartbeat_ms": "Time between heartbeats",
}


@register.filter
def kind_name(kind: str) -> str:
    """``postgresql`` -> ``PostgreSQL``."""
    return _KINDS.get(kind, kind)


@register.filter
def left_out(owed: list[str]) -> str:
    """What a bypass owes, in the words of its form."""
    return ", ".join(map(glossary.left_out, owed))


@register.filter
def finding_kind(kind: str) -> str:
    """``review_answer`` -> ``An adverse answer of a reviewer``."""
    return FINDINGS.get(kind) or kind.replace("_", " ").capitalize()


@register.filter
def counting_words(counting: str) -> str:
    """How a source counts, in a sentence."""
    return _COUNTING.get(counting, counting)


@register.filter
def setting_name(name: str) -> str:
    """``log_dir`` -> ``Folder of its log``."""
    return MORE_NAMES.get(name) or WORDS.get(name) or name.replace("_", " ").capitalize()


@register.filter
def setting_value(value: object, name: str) -> str:
    """Milliseconds as seconds, lists with commas between."""
    if name.endswith("_ms") and isinstance(value, int):
        return f"{value / 1000:g} s"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return ", ".join(each.strip() for each in str(value).split(",")) if name.endswith("_logins") else str(value)


@register.filter
def factor(method: str) -> str:
    """``webauthn`` -> ``Passkey``."""
    return factors.WORDS.get(method, method)


@register.filter
def gave_later(event: LoggedEvent) -> str:
    """What a bypass had left out and this event gave, beside a longer reason."""
    category, incident = event.fields.get("category", ""), event.fields.get("incident_ref", "")
    classes = [CLASSES.get(each, each) for each in event.fields.get("intended_classes", ())]
    return glossary.gave(CATEGORIES.get(category, category), classes, incident)
