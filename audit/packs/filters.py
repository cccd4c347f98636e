"""Filters of printed pages."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime

from django.template import Library

from audit.cases.words import CATEGORIES, CRITERIA
from audit.events.glossary import LEFT_OUT
from audit.packs import inert

register = Library()
DASH = "—"
CODE = re.compile(r"`([^`]*)`")
WORDS = LEFT_OUT | {
    "data_read": "data read", "data_change": "data change", "schema_change": "schema change",
    "config_change": "configuration change", "permission_change": "permission change", "catalogue_read": "catalogue read",
    "no_error_seen": "no error seen", "not_applicable": "not applicable", "ok": "done",
}  # fmt: skip


@register.filter
def utc(at: int | None) -> str:
    """``2026-09-15 02:10:04 UTC``; nothing is a dash."""
    return DASH if at is None else f"{_moment(at):%Y-%m-%d %H:%M:%S} UTC"


@register.filter
def clock(at: int | None) -> str:
    """As `utc`, with milliseconds and without the zone, for columns headed by it."""
    return DASH if at is None else f"{_moment(at):%Y-%m-%d %H:%M:%S}.{at % 1000:03d}"


@register.filter
def minute(at: int | None) -> str:
    """``2026-09-15 02:10``, for narrow columns whose head names the zone."""
    return DASH if at is None else f"{_moment(at):%Y-%m-%d %H:%M}"


@register.filter
def day(at: int | None) -> str:
    """``15 September 2026``."""
    return DASH if at is None else f"{_moment(at):%-d %B %Y}"


@register.filter
def span(from_at: int | None, to_at: int | None) -> str:
    """The time between two moments: ``44 min 3 s``, ``2 h 5 min``, ``3 d 4 h``."""
    if from_at is None or to_at is None:
        return DASH
    return length((to_at - from_at) // 1000)


def length(seconds: int) -> str:
    """A duration in its two largest units."""
    parts: list[str] = []
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)):
        count, seconds = divmod(seconds, size)
        if count or parts:
            parts.append(f"{count} {unit}")
    return " ".join(each for each in parts[:2] if not each.startswith("0 ")) or "0 s"


@register.filter
def who(pseudonym: str | None, names: Mapping[str, str]) -> str:
    """A person by name."""
    return inert.person(pseudonym or "", names)


@register.filter
def on_system(privilege: str, system: str) -> str:
    """A system with a privilege of it, whose name may begin with the system's."""
    if system and privilege.startswith(system):
        return privilege
    return ", ".join(each for each in (system, privilege) if each)


@register.filter
def word(name: str | None) -> str:
    """A class, outcome, result or kind of event as words."""
    return WORDS.get(name or "", (name or DASH).replace("_", " ").replace(".", " "))


@register.filter
def why_now(criterion: str) -> str:
    """``outage`` -> ``a service is down, or about to be``."""
    return _small(CRITERIA.get(criterion, word(criterion)))


@register.filter
def trouble(category: str) -> str:
    """``data_repair`` -> ``data is wrong and must be repaired``."""
    return _small(CATEGORIES.get(category, word(category)))


def _small(words: str) -> str:
    return words[:1].lower() + words[1:]


@register.filter
def short(text: str, at: int = inert.SHORTENED_AT) -> str:
    """The beginning of a long text."""
    return inert.shortened(text, at)


@register.filter
def size(count: int) -> str:
    """Bytes as people say them."""
    return (
        f"{count:,} bytes"
        if count < 10_000
        else f"{count / 1000:,.0f} kB"
        if count < 10_000_000
        else f"{count / 1e6:,.1f} MB"
    )


@register.filter
def figure(value: object) -> str:
    """A parameter's value: numbers as they are, lists and maps as words."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {each}" for name, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(
            " with ".join(map(str, each)) if isinstance(each, list | tuple) else str(each) for each in value
        )
    return str(value) if isinstance(value, int | float | str) else json.dumps(value)


@register.filter
def grouped(text: str, width: int = 8) -> str:
    """A hash in groups, so that it can be read aloud and breaks between them."""
    return " ".join(text[start : start + width] for start in range(0, len(text), width))


@register.filter
def quoted(text: str) -> str:
    """Words in backticks as words in quotation marks."""
    return CODE.sub("\u201c\\1\u201d", text)


def _moment(at: int) -> datetime:
    return datetime.fromtimestamp(at / 1000, UTC)
