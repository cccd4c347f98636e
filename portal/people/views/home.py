"""The first page: what a person can do now, and what waits for them."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from portal.access_requests.queries import own_requests, waiting_for, what_may_be_asked
from portal.eligibility.models import ADMINISTRATOR, APPROVER, AUDITOR, OWNER, REVIEWER
from portal.eligibility.queries import eligibilities_waiting_for, role_names, roles_waiting_for
from portal.eligibility.seen import changes_waiting_for
from portal.grants.queries import endable_by, extensions_waiting_for, open_grants
from portal.people.models import Person
from portal.people.signing_in import PersonRequest, signed_in
from portal.policy.queries import waiting as policies_waiting
from portal.reviews.queries import claimed_by, due_for

SHOWN = 5


@require_GET
@signed_in
def home(request: PersonRequest) -> HttpResponse:
    """Landing by role: only what concerns the person is asked for."""
    return render(request, "people/home.html", _for(request.user))


def _for(viewer: Person) -> dict[str, Any]:
    roles = role_names(viewer.pk)
    shown: dict[str, Any] = {
        "may_ask": what_may_be_asked(viewer).exists(), "open": open_grants(viewer), "own": own_requests(viewer, SHOWN), "roles": roles,
        "audits": AUDITOR in roles,
    }  # fmt: skip
    if roles & {APPROVER, OWNER}:
        shown |= {"waiting": waiting_for(viewer), "extensions": extensions_waiting_for(viewer)}
    if roles & {APPROVER, OWNER, ADMINISTRATOR}:
        shown["open_of_others"] = endable_by(viewer)
    if REVIEWER in roles:
        shown["reviews"] = [*claimed_by(viewer), *due_for(viewer)]
    if roles & {ADMINISTRATOR, OWNER}:
        shown |= {
            "changes": changes_waiting_for(viewer), "role_proposals": roles_waiting_for(viewer),
            "eligibility_proposals": eligibilities_waiting_for(viewer),
        }  # fmt: skip
    if ADMINISTRATOR in roles:
        shown["policies"] = list(policies_waiting(viewer))
    shown["to_decide"] = sum(
        len(shown.get(name, ())) for name in ("changes", "role_proposals", "eligibility_proposals", "policies")
    )
    return shown
