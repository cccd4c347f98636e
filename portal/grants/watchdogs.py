"""One watchdog on each target that can have one: it ends due logins there while the portal is dead."""

import logging

from portal.connectors.base import ConnectorError, Held
from portal.grants.targets import connector_of, target_of
from portal.systems.models import System

logger = logging.getLogger("breakglass.watchdogs")
_held: dict[str, Held] = {}


def hold() -> int:
    """Start what is missing; returns how many watchdogs this process holds. Called again and again by ``manage.py watch``."""
    for system in System.objects.filter(in_scope_to__isnull=True):
        key = str(system.pk)
        try:
            if key in _held and not _held[key].alive():
                del _held[key]
            if key not in _held:
                started = connector_of(system).watchdog(target_of(system))
                if started is not None:
                    _held[key] = started
        except ConnectorError as error:
            _held.pop(key, None)
            logger.warning("no watchdog on %s: %s", system.slug, error.sentence)
    return len(_held)


def release() -> None:
    """Stop all of them; the targets' own limits still hold."""
    while _held:
        _held.popitem()[1].stop()
