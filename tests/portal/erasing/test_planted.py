"""Every text of every table is looked at: after an erasure, and after a cut, it is gone, or stands here with the reason why not."""

from collections.abc import Mapping
from uuid import UUID

import pytest
from django.apps import apps

from portal.access_requests.models import AccessRequest
from portal.clock import now
from portal.erasing.columns import CLEARED, COLUMNS
from portal.erasing.places import clear_cases, clear_row_changes, clear_words
from tests.portal.erasing.planted import WORD, choices, everywhere
from tests.portal.erasing.test_everywhere import places_of

pytestmark = pytest.mark.django_db
CASE = UUID("5d3c0000-0000-4000-8000-000000000001")
GIVEN = {
    "portal_alert.case": "", "portal_alert.about": f"review:{CASE}", "portal_finding.case": str(CASE), "audit_event.case": str(CASE),
}  # fmt: skip
# Of rows that belong to a case.
AFTER_A_CUT: Mapping[str, str] = {
    "one of the portal's own codes, chosen and not typed": (
        "portal_accessrequest.criterion portal_accessrequest.category portal_accessrequest.intended_classes portal_accessrequest.factor portal_approval.group "
        "portal_approval.factor portal_acceptance.kind portal_changerecord.kinds portal_drill.steps portal_finding.kind portal_review.outcome "
        "portal_review.reminded portal_alert.channel portal_alert.kind"
    ),
    "ids, hashes, paths of our own pages, and what is encrypted": (
        "portal_acceptance.activities portal_acceptance.session portal_finding.about portal_grant.nonce portal_grant.secret portal_grant.verifier "
        "portal_sitting.spans portal_sitting.opened portal_alert.path portal_alert.attachment"
    ),
    "made by the connector, or read from the target: no word of anybody's": (
        "portal_grant.login portal_grant.marker portal_grant.marker_ref portal_grant.before"
    ),
    "in our own words: the question that was answered, or what was found": "portal_finding.title",
    "a list, which is nobody: it is told of other things too": "portal_alert.address",
    "a hold is in force until two lift it, and says why": "portal_legalhold.reason portal_legalhold.lift_reason",
}  # fmt: skip


def but(reasons: Mapping[str, str]) -> list[str]:
    return sorted(place for places in reasons.values() for place in places.split())


def left() -> set[str]:
    return set(places_of(WORD)) - choices()


def of_cases() -> set[str]:
    """Tables whose rows lead to a case, over whatever way, or name one."""
    portal = set(apps.get_app_config("portal").get_models())
    found = {AccessRequest} | {
        model for model in portal if any(each.name == "case" for each in model._meta.concrete_fields)
    }
    while more := {
        model for model in portal - found if any(each.related_model in found for each in model._meta.concrete_fields)
    }:
        found |= more
    return {model._meta.db_table for model in found}


def test_an_erased_name_stands_in_no_column_but_those_that_say_why() -> None:
    with everywhere(CASE, GIVEN):
        before = left()
        stays = {
            f"{table}.{column}" for table, ways in COLUMNS.items() for column, way in ways.items() if way not in CLEARED
        }
        assert len(before - stays) > 60
        clear_words([WORD], [])
        clear_row_changes("default", [WORD])
        assert sorted(left()) == sorted(before & stays)


def test_what_was_typed_in_a_cut_case_stands_in_no_column_but_these() -> None:
    """Rows of no case say what is in force; two people who go are erased by themselves."""
    with everywhere(CASE, GIVEN):
        mine = {place for place in left() if place.partition(".")[0] in of_cases()}
        assert {"portal_alert.facts", "portal_changerecord.reference", "portal_review.answers"} <= mine
        clear_cases({str(CASE)}, at=now())
        assert sorted(place for place in left() if place.partition(".")[0] in of_cases()) == but(AFTER_A_CUT)
