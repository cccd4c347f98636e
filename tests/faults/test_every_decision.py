"""Every decision of the portal, made by many hands at once: one is done, the others are told so, and the log says no more than that."""

import pytest

from tests.architecture.test_actions import ACTIONS
from tests.faults.races import (
    of_attestations,
    of_grants,
    of_lists,
    of_people,
    of_requests,
    of_reviews,
    of_rules,
    of_sealed,
)
from tests.faults.races.left_out import LEFT_OUT
from tests.faults.races.racing import RACES, run
from tests.worlds import make_world

pytestmark = pytest.mark.django_db(transaction=True)
FEW, MANY = 4, 50
IN_EVERY_RUN = (  # the others are raced by `make faults`
    "a_finding_is_answered", "a_late_review_is_taken_and_given_on", "a_line_waits", "a_policy_waits", "a_request_waits", "a_reset_waits",
    "a_review_is_given_away_or_submitted", "a_role_waits", "an_account_is_handed_over_or_retired", "an_eligibility_ends", "more_time_waits",
    "one_account_is_wanted_by_many", "one_release_is_for_one_look",
)  # fmt: skip
FILES = (of_attestations, of_grants, of_lists, of_people, of_requests, of_reviews, of_rules, of_sealed)


def test_each_action_is_raced_or_there_is_a_reason() -> None:
    raced = {act for actions, _ in RACES.values() for act in actions}
    assert {name for name, act in ACTIONS if act not in raced} == set(LEFT_OUT)


@pytest.mark.parametrize("name", IN_EVERY_RUN)
def test_a_few_at_once(name: str) -> None:
    run(name, make_world(), FEW)


@pytest.mark.faults
@pytest.mark.parametrize("name", sorted(RACES))
def test_fifty_at_once(name: str) -> None:
    run(name, make_world(), MANY)
