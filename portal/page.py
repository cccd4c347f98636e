"""What every page shows: navigation by role, marks, the person's own open bypass, how far the log is sealed."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse


def context(request: HttpRequest) -> dict[str, Any]:
    """Context of the base template."""
    common = {"portal_name": settings.PORTAL_NAME, "demo": settings.PORTAL_DEMO, "nav": [], "home_url": "/"}
    actor = getattr(request, "actor", None)
    if actor is None:
        return common
    return common | {"person_name": actor.name, "sign_ins_url": reverse("sign_ins"), "sign_out_url": reverse("sign_out")}
