"""One watchdog on each target that can have one: it ends due logins there while the portal is dead."""

import logging

from portal.connectors.base import ConnectorError, Held
from portal.grants.targets import connector_of, target_of
from portal.systems.models import System

logger = logging.getLogger("breakglass.watchdogs")
_held: dict[str, Held] = {}


def hold() -> int:
    """Start what is missing; returns how many watchdogs this process holds. Called again and again by ``manage.py watch``.

    Trouble with one system never keeps another from its watchdog.
    """
    for system in System.objects.filter(in_scope_to__isnull=True):
        try:
            _hold_one(system)
        except ConnectorError as error:
            _held.pop(str(system.pk), None)
            logger.warning("no watchdog on %s: %s", system.slug, error.sentence)
        except Exception:
            _held.pop(str(system.pk), None)
            logger.exception("no watchdog on %s, and nobody foresaw why", system.slug)
    return len(_held)


def _hold_one(system: System) -> None:
    key = str(system.pk)
    if key in _held and not _held[key].alive():
        del _held[key]
    if key not in _held:
        started = connector_of(system).watchdog(target_of(system))
        if started is not None:
            _held[key] = started


def release() -> None:
    """Stop all of them; the targets' own limits still hold."""
    while _held:
        key, held = _held.popitem()
        try:
            held.stop()
        except Exception:
            logger.exception("the watchdog on %s could not be stopped; the others are", key)
