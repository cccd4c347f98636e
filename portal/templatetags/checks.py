"""The connection test in words: `{% load checks %}`, one verdict first, what failed before what is merely worth knowing."""

from collections.abc import Sequence

from django import template

from portal.connectors.base import Check

register = template.Library()

NAMES = {
    "settings": "Settings", "connection": "Connection", "version": "Version", "tls": "Encryption", "clock": "Clock", "watchdog": "Watchdog",
    "superuser": "Superuser", "createrole": "Making logins", "signal": "Ending sessions", "stats": "Seeing sessions",
    "statements": "Logging statements", "createrole 15": "Making logins", "simulated": "Simulated",
    "watchdog lock": "The watchdog's lock",
}  # fmt: skip


@register.filter
def check_name(name: str) -> str:
    """What a check is about; a privilege, an account and a setting of the target by their own names."""
    named = name.startswith(("privilege ", "account "))
    return NAMES.get(name) or (name[0].upper() + name[1:] if named else name)


@register.filter
def verdict(checks: Sequence[Check]) -> str:
    """All of it in one sentence."""
    failed = [each for each in checks if each.ok is False]
    notes = sum(each.ok is None for each in checks)
    also = f" {notes} thing{'' if notes == 1 else 's'} to know." if notes else ""
    if not failed:
        return f"Well: none of {len(checks)} checks failed.{also}"
    names = ", ".join(dict.fromkeys(check_name(each.name) for each in failed))
    return f"Not well: {len(failed)} of {len(checks)} checks failed: {names}.{also}"


@register.filter
def passes(checks: Sequence[Check]) -> bool:
    """Whether nothing failed."""
    return all(each.ok is not False for each in checks)


@register.filter
def worst_first(checks: Sequence[Check]) -> list[Check]:
    """What failed, then what is worth knowing, then what is well."""
    order: dict[bool | None, int] = {False: 0, None: 1, True: 2}
    return sorted(checks, key=lambda each: order[each.ok])
