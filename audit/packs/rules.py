"""Who may ask for a pack and take one away. Who holds which role is the portal's to say, by ``has_perm``."""

from collections.abc import Collection
from typing import Any

from django.conf import settings
from django.contrib.auth import get_backends, get_user_model

from audit.controls.loading import load_catalogue
from audit.log.append import Actor, now_ms
from audit.packs.errors import NotAllowed, StepUpNeeded

MAKE_PACK, VIEW_CASE, VIEW_CAMPAIGN = "audit.make_pack", "audit.view_case", "audit.view_campaign"


def systems_of(viewer: Any) -> frozenset[str]:
    """Ids of the systems of which the viewer may ask for packs."""
    rules = [each.systems_with_perm for each in get_backends() if hasattr(each, "systems_with_perm")]
    return frozenset(system for rule in rules for system in rule(viewer, MAKE_PACK))


def in_role_and_scope(by: Actor, systems: Collection[str]) -> bool:
    """Whether the person is an auditor of all of the systems now."""
    person = get_user_model()._default_manager.filter(pk=by.id).first() if by.is_person else None
    return person is not None and frozenset(systems) <= systems_of(person)


def need_scope(by: Actor, systems: Collection[str], about: object = None) -> None:
    """Demand the role of an auditor for all of the systems.

    Raises:
        NotAllowed: the person lacks it for one of them.
    """
    if not in_role_and_scope(by, systems):
        raise NotAllowed("Only an auditor of all these systems can do this.", about=about, kind="not in role and scope")


def need_fresh(by: Actor, about: object = None) -> None:
    """Demand a strong second factor that is fresh.

    Raises:
        StepUpNeeded: it was never given, is too weak, or too old.
    """
    strong = load_catalogue().parameters["allowed_strong_methods"].value
    if by.strong_at is None or by.method not in strong or now_ms() - by.strong_at > fresh_ms():
        raise StepUpNeeded("Confirm with your second factor first.", about=about, kind="no fresh second factor")


def fresh_ms() -> int:
    """For how long a second factor counts as fresh, in milliseconds."""
    return int(settings.PORTAL_STEP_UP_MINUTES) * 60_000
