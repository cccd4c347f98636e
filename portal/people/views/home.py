"""The first page: what a person can do now, and everything that waits for them."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from portal.access_requests.incidents import joinable
from portal.access_requests.options import options_of
from portal.access_requests.owing import owing
from portal.access_requests.queries import own_requests, questions_to, waiting_for
from portal.campaigns.queries import waiting_for as campaigns_waiting_for
from portal.clock import now
from portal.drills.queries import owed_by as drills_owed_by
from portal.eligibility.models import ADMINISTRATOR, APPROVER, AUDITOR, CUSTODIAN, OWNER, REVIEWER
from portal.eligibility.queries import eligibilities_waiting_for, role_names, roles_waiting_for
from portal.eligibility.reset_queries import resets_waiting_for
from portal.eligibility.seen import changes_waiting_for
from portal.findings.models import Finding
from portal.findings.queries import waiting_for as findings_waiting_for
from portal.grants.queries import endable_by, extensions_waiting_for, open_grants
from portal.grants.releasing import wanted_of as releases_wanted_of
from portal.people.models import Person
from portal.people.signing_in import PersonRequest, signed_in
from portal.personnel.queries import waiting_for as personnel_waiting_for
from portal.policy.queries import waiting as policies_waiting
from portal.reviews.offline.queries import due_for as offline_due_for
from portal.reviews.queries import claimed_by, due_for
from portal.rotas.queries import offers_to, watches_of
from portal.sealed.models import CUSTODIAN as KEPT_BY_CUSTODIAN
from portal.sealed.queries import cards_of, duties_of, waiting_for_second, without_way_in
from portal.stops.queries import lifts_waiting_for

SHOWN = 5
SECOND_ADMINISTRATOR = ("personnel", "policies", "sealed_proposals")
PROPOSALS = ("lifts", "resets", "changes", "role_proposals", "eligibility_proposals", *SECOND_ADMINISTRATOR)
ASKED_OF_ME = ("waiting", "extensions", "releases", "reviews", "offline_reviews", "owing", "questions", "swaps")
SEALED = ("secrets_owed", "cards", "no_way_in")
WAITS = (*ASKED_OF_ME, "campaigns", "findings_owned", "findings_of_others", "drills_owed", *SEALED, *PROPOSALS)
"""Lists of what waits for the viewer's hand."""


@require_GET
@signed_in
def home(request: PersonRequest) -> HttpResponse:
    """Landing by role: only what concerns the person is asked for."""
    shown = _for(request.user)
    shown["to_decide"] = _count(shown, PROPOSALS)
    others = (*WAITS, "open", "own", "open_of_others")
    shown["quiet"] = not (shown["may_ask"] or shown["audits"] or _count(shown, others))
    return render(request, "people/home.html", shown)


def _for(viewer: Person) -> dict[str, Any]:
    roles, options = role_names(viewer.pk), options_of(viewer)
    shown: dict[str, Any] = {
        "may_ask": bool(options), "can_bypass": any(each.allows("bypass") for each in options),
        "joinable": joinable(viewer, options), "open": open_grants(viewer), "own": own_requests(viewer, SHOWN), "roles": roles,
        "audits": AUDITOR in roles, "owing": owing(viewer), "questions": questions_to(viewer), "campaigns": campaigns_waiting_for(viewer),
        **_findings(viewer, findings_waiting_for(viewer)),
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
        shown |= {"secrets_owed": owed_secrets, "cards": cards_of(viewer), "now": now()}
    if REVIEWER in roles:
        shown |= {"reviews": [*claimed_by(viewer), *due_for(viewer)], "offline_reviews": offline_due_for(viewer)}
    if roles & {ADMINISTRATOR, OWNER}:
        shown |= {
            "lifts": lifts_waiting_for(viewer), "changes": changes_waiting_for(viewer), "role_proposals": roles_waiting_for(viewer),
            "eligibility_proposals": eligibilities_waiting_for(viewer), "resets": list(resets_waiting_for(viewer, roles)),
        }  # fmt: skip
    if OWNER in roles:
        owed = drills_owed_by(viewer, now())
        shown |= {
            "drills_owed": owed[:SHOWN],
            "drills_owed_more": max(0, len(owed) - SHOWN),
            "no_way_in": without_way_in(viewer),
            "now": now(),
        }
    if ADMINISTRATOR in roles:
        shown |= {
            "policies": list(policies_waiting(viewer)), "personnel": personnel_waiting_for(viewer), "sealed_proposals": waiting_for_second(viewer),
        }  # fmt: skip
    return shown


def _findings(viewer: Person, rows: list[Finding]) -> dict[str, Any]:
    """Those of the viewer and those of others apart, a few of each."""
    mine = [each for each in rows if each.owner_id == viewer.pk]
    others = [each for each in rows if each.owner_id != viewer.pk]
    return {
        "findings_owned": mine[:SHOWN], "findings_owned_more": max(0, len(mine) - SHOWN),
        "findings_of_others": others[:SHOWN], "findings_of_others_more": max(0, len(others) - SHOWN),
    }  # fmt: skip


def _count(shown: dict[str, Any], names: tuple[str, ...]) -> int:
    return sum(len(shown.get(name, ())) for name in names)
