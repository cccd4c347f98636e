"""What every page shows: navigation by role, marks, emergency stops, the person's own open bypass, how far the log is sealed."""

from collections.abc import Set
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from audit.log.append import Actor, now_ms
from audit.log.read import position
from portal.clock import moment
from portal.eligibility.models import ROLES
from portal.eligibility.queries import roles_held
from portal.grants.models import Grant
from portal.grants.queries import open_grants
from portal.navigation import navigation
from portal.people.strength import is_fresh
from portal.stops.models import Stop
from portal.stops.queries import concerning
from portal.stops.states import LIFT_ASKED

LATE_AFTER_MS = 10_000


def context(request: HttpRequest) -> dict[str, Any]:
    """Context of the base template: five queries for somebody who is signed in, none for others. An error page stands without them."""
    common: dict[str, Any] = {"portal_name": settings.PORTAL_NAME, "demo": settings.PORTAL_DEMO, "home_url": "/"}
    actor = getattr(request, "actor", None)
    if actor is None:
        return common
    try:
        return common | _of_person(request, actor) | _of_log()
    except DatabaseError:
        return common


def _of_person(request: HttpRequest, actor: Actor) -> dict[str, Any]:
    held = roles_held(actor.id)
    return {
        "nav": navigation(held, request.path), "person_name": actor.name, "person_note": _note(held.keys(), actor),
        "sign_ins_url": reverse("sign_ins"), "sign_out_url": reverse("sign_out"), "fresh": is_fresh(actor),
        "stops": [_stop(each) for each in concerning(request.user)],  # type: ignore[arg-type]  # a person
        "open_glass": [_glass(each) for each in open_grants(request.user) if each.request.mode == "bypass"],  # type: ignore[arg-type]  # a person
    }  # fmt: skip


def _note(roles: Set[str], actor: Actor) -> str:
    """Roles in words, and until when acts that need a second factor go without asking."""
    words = ", ".join(name.partition(":")[0].removesuffix(" of a system") for role, name in ROLES if role in roles)
    if not is_fresh(actor) or actor.strong_at is None:
        return words
    until = moment(actor.strong_at) + timedelta(minutes=settings.PORTAL_STEP_UP_MINUTES)
    return f"{words or 'No role'}. Confirmed until {until:%H:%M} UTC"


def _glass(grant: Grant) -> dict[str, str]:
    ends = f" until {grant.expires_at:%H:%M} UTC" if grant.expires_at else ""
    states = {"active": f"is open by bypass{ends}", "closing": "is being closed and is still live until read back"}
    said = states.get(grant.state, "is being opened by bypass")
    return {"text": f"{grant.system.name} {said}.", "url": reverse("request_page", args=[grant.request_id])}


def _stop(stop: Stop) -> dict[str, str]:
    lifting = " Lifting waits for a second person." if stop.state == LIFT_ASKED else ""
    said = f"Emergency stop since {stop.started_at:%H:%M} UTC: {stop.where}. Nothing is opened there.{lifting}"
    return {"text": said, "url": reverse("stop_page", args=[stop.pk])}


def _of_log() -> dict[str, Any]:
    log = position()
    late = log.waiting_since is not None and now_ms() - log.waiting_since > LATE_AFTER_MS
    said = ["The log is written and not sealed at present: new events wait for the sealer."] if late else []
    return {"log_size": log.size, "log_at": log.signed_at, "log_late": late, "late": said, "late_url": _status_url()}


def _status_url() -> str:
    try:
        return reverse("status_page")
    except NoReverseMatch:
        return ""
