"""The calendar of everything that falls due: a page, and a feed for the viewer's own calendar."""

from collections.abc import Iterable
from itertools import groupby

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from portal.calendars import after_uses, feed, restores, under_seal
from portal.calendars.entries import MOST, Entry
from portal.campaigns.lists import LISTS
from portal.campaigns.queries import duties_of as attestations_of
from portal.campaigns.queries import open_ones
from portal.clock import now
from portal.drills.duties import due_of
from portal.drills.queries import systems_of
from portal.findings.queries import OPEN, listed
from portal.people.models import Person
from portal.people.signing_in import PersonRequest, signed_in
from portal.policy.queries import in_force_for, looks_due, systems_of_policies
from portal.systems.models import System
from portal.templatetags.words import finding_kind


@require_GET
@signed_in
def calendar(request: PersonRequest) -> HttpResponse:
    """What falls due in the systems of the viewer, month by month; what is overdue stands first."""
    at, entries = now(), entries_of(request.user)
    late = [each for each in entries if each.due_at <= at]
    ahead = groupby((each for each in entries if each.due_at > at), key=lambda each: f"{each.due_at:%B %Y}")
    months = [(name, list(found)) for name, found in ahead]
    address = settings.PORTAL_URL.rstrip("/") + reverse("calendar_feed", args=[feed.token_of(request.user)])
    return render(request, "calendar/calendar.html", {"overdue": late, "months": months, "feed": address})


@require_GET
def calendar_feed(_: HttpRequest, token: str) -> HttpResponse:
    """The same as an iCalendar file (RFC 5545), for whoever holds the address. It names no person."""
    person = feed.person_of(token)
    if person is None:
        raise Http404
    return HttpResponse(feed.written(entries_of(person), at=now()), content_type="text/calendar; charset=utf-8")


def entries_of(viewer: Person) -> list[Entry]:
    """All that the viewer may see, the first due first. A constant number of queries."""
    systems = list(systems_of(viewer))
    found = [
        *_attestations(viewer),
        *_drills(systems),
        *_policies(viewer),
        *after_uses.entries(viewer),
        *_findings(viewer),
        *under_seal.entries(viewer),
        *restores.entries(viewer),
    ]
    return sorted(found, key=lambda each: (each.due_at, each.title, each.key))


def _attestations(viewer: Person) -> Iterable[Entry]:
    kind = "Attestation"
    for duty in attestations_of(viewer)[:MOST]:
        what = f"Attest the {LISTS[duty.subject_kind].what} of {_where(duty.system)}"
        yield Entry(f"duty-{duty.pk}", duty.due_at, kind, what, reverse("campaigns"))
    for open_one in open_ones(viewer)[:MOST]:
        what, path = f"Close the attestation of {_where(open_one.system)}", reverse("campaign_page", args=[open_one.pk])
        yield Entry(f"campaign-{open_one.pk}", open_one.due_at, kind, what, path)


def _drills(systems: Iterable[System]) -> Iterable[Entry]:
    for due in due_of(systems):
        yield Entry(
            f"drill-{due.system.pk}-{due.due_at:%Y%m%d}",
            due.due_at,
            "Drill",
            f"Drill {due.system.name}",
            reverse("drills"),
        )


def _policies(viewer: Person) -> Iterable[Entry]:
    systems = systems_of_policies(viewer)
    names = {each.pk: each.name for each in systems}
    versions = in_force_for(systems)
    due = looks_due(versions.values())
    for pk, version in versions.items():
        yield Entry(
            f"policy-{version.pk}",
            due[version.pk],
            "Policy",
            f"Look at the policy of {names[pk]} again",
            reverse("policy_system", args=[pk]),
        )


def _findings(viewer: Person) -> Iterable[Entry]:
    for finding in listed(viewer, OPEN)[:MOST]:
        if finding.due_at is not None:
            yield Entry(
                f"finding-{finding.pk}",
                finding.due_at,
                "Finding",
                f"{finding_kind(finding.kind)}: {_where(finding.system) if finding.system else 'the portal'}",
                reverse("finding_page", args=[finding.pk]),
            )


def _where(system: System | None) -> str:
    return system.name if system else "all systems"
