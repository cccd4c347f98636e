"""Every page of the portal. Each concept has its own; a page's address says what it shows."""

import importlib.util

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

CONCEPTS = (
    "portal.lists.urls", "portal.people.urls", "portal.personnel.urls",
    "portal.systems.urls", "portal.stops.urls", "portal.rotas.urls", "portal.eligibility.urls", "portal.policy.urls", "portal.access_requests.urls",
    "portal.grants.urls", "portal.sealed.urls", "portal.findings.urls", "portal.reviews.urls", "portal.campaigns.urls", "portal.drills.urls",
    "portal.calendars.urls", "portal.erasing.urls", "portal.lost.urls",
    "portal.notifications.urls",
    "portal.notifications.channels.webhook.urls",
    "portal.health.urls", "portal.charts.urls", "audit.cases.urls", "audit.controls.urls", "audit.packs.urls", "audit.log.urls",
)  # fmt: skip


def _there(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


urlpatterns: list[URLPattern | URLResolver] = [path("", include(name)) for name in CONCEPTS if _there(name)]
handler400, handler403, handler404, handler500 = (
    f"portal.error_pages.{name}" for name in ("bad_request", "not_allowed", "not_found", "broken")
)
if settings.PORTAL_DEMO:
    urlpatterns.append(path("demo/", include("portal.demo.urls")))
