"""The first page: what a person can do now, and everything that waits for them."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from portal.access_requests.incidents import joinable
from portal.access_requests.options import options_of
from portal.access_requests.owing import owing
from portal.access_requests.queries import own_requests, questions_to, waiting_for
from portal.calendars.restores import owed_by as restore_owed_by
from portal.campaigns.queries import waiting_for as campaigns_waiting_for
from portal.clock import now
from portal.drills.queries import owed_by as drills_owed_by
from portal.eligibility.models import ADMINISTRATOR, APPROVER, AUDITOR, CUSTODIAN, OWNER, REVIEWER
from portal.eligibility.queries import eligibilities_waiting_for, role_names, roles_waiting_for
from portal.eligibility.reset_queries import resets_waiting_for
from portal.eligibility.seen import changes_waiting_for
from portal.findings.models import Finding
from portal.findings.queries import waiting_for as findings_waiting_for
from portal.findings.states import ANSWERED
from portal.grants.queries import endable_by, extensions_waiting_for, open_grants
from portal.grants.releasing import wanted_of as releases_wanted_of
from portal.people.models import Person
from portal.people.signing_in import PersonRequest, signed_in
from portal.people.views.for_auditors import audited
from portal.personnel.queries import waiting_for as personnel_waiting_for
from portal.policy.queries import waiting as policies_waiting
from portal.reviews.queries import claimed_by, due_for
from portal.rotas.queries import offers_to, watches_of
from portal.sealed.models import CUSTODIAN as KEPT_BY_CUSTODIAN
from portal.sealed.queries import cards_of, duties_of, waiting_for_second, without_way_in
from portal.stops.queries import lifts_waiting_for

SHOWN = 5
SECOND_ADMINISTRATOR = ("personnel", "policies", "sealed_proposals")
PROPOSALS = ("lifts", "resets", "changes", "role_proposals", "eligibility_proposals", *SECOND_ADMINISTRATOR)
ASKED_OF_ME = ("waiting", "extensions", "releases", "reviews", "owing", "questions", "swaps")
SEALED = ("secrets_owed", "cards", "no_way_in")
WAITS = (
    *ASKED_OF_ME,
    "campaigns",
    "findings_owned",
    "findings_of_others",
    "drills_owed",
    "restore_owed",
    *SEALED,
    *PROPOSALS,
)
"""Lists of what waits for the viewer's hand."""
LATE: Mapping[str, Callable[[Any, datetime], bool]] = {
    **dict.fromkeys(("reviews", "campaigns"), lambda each, _at: each.late),
    **dict.fromkeys(("secrets_owed", "drills_owed"), lambda each, at: each.due_at <= at),
    "findings_owned": lambda each, _at: each.is_overdue and each.state != ANSWERED,  # whoever answered waits for others
    "findings_of_others": lambda each, _at: each.is_overdue,
    "restore_owed": lambda each, at: each <= at,
}
"""Duties with a date, and when one of them is late: those stand before all others."""
CUT = {"findings_owned": ("findings that you own", "findings", "?show=overdue"), "findings_of_others": ("findings of others", "findings", "?show=overdue"),
       "drills_owed": ("drills", "drills", "")}  # fmt: skip
"""Lists of which a few are shown; what the rest is called, and where it stands."""


@require_GET
@signed_in
def home(request: PersonRequest) -> HttpResponse:
    """Landing by role: only what concerns the person is asked for. What is open stands first, then what to decide, then what is late."""
    shown = _for(request.user)
    if shown["audits"]:
        shown["audited"] = audited(request.user)
    shown["to_decide"] = _count(shown, PROPOSALS)
    others = (*WAITS, "open", "own", "open_of_others")
    shown["quiet"] = not (shown["may_ask"] or shown["audits"] or _count(shown, others))
    _sort_out_late(shown, now())
    return render(request, "people/home.html", shown)


def _for(viewer: Person) -> dict[str, Any]:
    roles, options = role_names(viewer.pk), options_of(viewer)
    shown: dict[str, Any] = {
        "may_ask": bool(options), "can_bypass": any(each.allows("bypass") for each in options),
        "joinable": joinable(viewer, options), "open": open_grants(viewer), "own": own_requests(viewer, SHOWN), "roles": roles,
        "audits": AUDITOR in roles, "owing": owing(viewer), "questions": questions_to(viewer), "campaigns": campaigns_waiting_for(viewer),
        **_findings(viewer, findings_waiting_for(viewer)), "now": now(),
    }  # fmt: skip
    if roles & {APPROVER, OWNER}:
        shown |= {
            "waiting": waiting_for(viewer),
            "extensions": extensions_waiting_for(viewer),
            "swaps": offers_to(viewer),
        }
    if APPROVER in roles:
        shown["watches"] = watches_of(viewer, now())
    if roles & {APPROVER, OWNER, ADMINISTRATOR}:
        shown["open_of_others"] = endable_by(viewer)
    if roles & {APPROVER, OWNER, ADMINISTRATOR, CUSTODIAN}:
        shown["releases"] = releases_wanted_of(viewer)
    if CUSTODIAN in roles:
        owed_secrets = [each for each in duties_of(viewer) if each.account.kept_by == KEPT_BY_CUSTODIAN]
        shown |= {"secrets_owed": owed_secrets, "cards": cards_of(viewer)}
    if REVIEWER in roles:
        shown["reviews"] = [*claimed_by(viewer), *due_for(viewer)]
    if roles & {ADMINISTRATOR, OWNER}:
        shown |= {
            "lifts": lifts_waiting_for(viewer), "changes": changes_waiting_for(viewer), "role_proposals": roles_waiting_for(viewer),
            "eligibility_proposals": eligibilities_waiting_for(viewer), "resets": list(resets_waiting_for(viewer, roles)),
        }  # fmt: skip
    if OWNER in roles:
        shown |= {"drills_owed": drills_owed_by(viewer, now()), "no_way_in": without_way_in(viewer)}
    if ADMINISTRATOR in roles:
        shown |= {
            "restore_owed": [each for each in [restore_owed_by(viewer, now())] if each],
            "policies": list(policies_waiting(viewer)), "personnel": personnel_waiting_for(viewer), "sealed_proposals": waiting_for_second(viewer),
        }  # fmt: skip
    return shown


def _findings(viewer: Person, rows: list[Finding]) -> dict[str, Any]:
    """Those of the viewer and those of others apart; of the viewer's, what was answered waits for others and stands last."""
    mine = [each for each in rows if each.owner_id == viewer.pk]
    return {
        "findings_owned": sorted(mine, key=lambda each: each.state == ANSWERED),
        "findings_of_others": [each for each in rows if each.owner_id != viewer.pk],
    }


def _sort_out_late(shown: dict[str, Any], at: datetime) -> None:
    """What is late moves to a list of its own; of long lists a few are shown, and how many more there are."""
    late: dict[str, list[Any]] = {}
    shown["overdue_more"] = []
    for name, is_late in LATE.items():
        rows = shown.get(name, [])
        late[name] = [each for each in rows if is_late(each, at)]
        shown[name] = [each for each in rows if not is_late(each, at)]
        if name in CUT:
            things, url_name, query = CUT[name]
            more = len(late[name]) - SHOWN
            if more > 0:
                shown["overdue_more"].append({"count": more, "things": things, "url": reverse(url_name) + query})
            shown[f"{name}_more"] = max(0, len(shown[name]) - SHOWN)
            late[name], shown[name] = late[name][:SHOWN], shown[name][:SHOWN]
    shown["overdue"] = late if any(late.values()) else {}


def _count(shown: dict[str, Any], names: tuple[str, ...]) -> int:
    return sum(len(shown.get(name, ())) for name in names)
