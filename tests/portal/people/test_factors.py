"""Wrong codes wait longer and longer, but never so long that a guesser keeps the owner out; and what is strong can be checked here."""

import logging
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django_otp.plugins.otp_totp.models import TOTPDevice

from portal.clock import now
from portal.errors import StepUpNeeded
from portal.people import factors
from portal.people.factors import NotProven, Proof
from portal.people.models import Person
from portal.people.strength import need_fresh
from tests.factories import code_from, person
from tests.worlds import actor

pytestmark = pytest.mark.django_db
CEILING = 1024


@pytest.fixture
def ada() -> Iterator[Person]:
    """Her clock stands still: no test is slower than a wait."""
    with time_machine.travel(now(), tick=False):
        yield person()


def guessed(made: Person, times: int, seconds_ago: float) -> None:
    TOTPDevice.objects.filter(user=made).update(
        throttling_failure_count=times, throttling_failure_timestamp=now() - timedelta(seconds=seconds_ago)
    )


def check(made: Person, code: str | None = None) -> Proof | NotProven:
    return factors.check_code(made, code or code_from(TOTPDevice.objects.get(user=made).key))


@pytest.mark.parametrize(
    ("times", "said"),
    [
        (1, "1 second"),
        (4, "8 seconds"),
        (8, "3 minutes"),
        (11, "18 minutes"),
        (12, "18 minutes"),
        (5_000, "18 minutes"),
    ],
    ids=str,
)
def test_wait_doubles_up_to_a_ceiling(ada: Person, times: int, said: str) -> None:
    guessed(ada, times, 0)
    outcome = check(ada)
    assert isinstance(outcome, NotProven)
    assert (outcome.sentence, outcome.kind) == (f"Wait {said}, then try again.", "too many tries")


def test_owner_gets_in_after_the_longest_wait_and_the_count_begins_anew(ada: Person) -> None:
    guessed(ada, 5_000, CEILING + 1)
    assert isinstance(check(ada), Proof)
    assert TOTPDevice.objects.get(user=ada).throttling_failure_count == 0


def test_wrong_code_after_the_longest_wait_waits_again_and_is_counted(ada: Person) -> None:
    guessed(ada, 5_000, CEILING + 1)
    outcomes = [check(ada, "no code"), check(ada)]
    assert [each.kind for each in outcomes if isinstance(each, NotProven)] == ["wrong code", "too many tries"]
    assert TOTPDevice.objects.get(user=ada).throttling_failure_count == 5_001


def test_security_list_is_told_whenever_eleven_more_codes_were_wrong(
    ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int] = []
    monkeypatch.setattr(logging.getLogger("breakglass.alarm"), "error", lambda _text, wrong, _who: told.append(wrong))
    for times in range(23):
        guessed(ada, times, CEILING + 1)
        check(ada, "no code")
    assert told == [11, 22]


@pytest.mark.parametrize(
    ("method", "strong"),
    [
        ("totp", True),
        ("recovery", False),
        ("webauthn", True),
        ("smartcard", False),
        ("hardware_otp", False),
        (None, False),
    ],
)
def test_strong_is_what_the_portal_can_check_itself(ada: Person, method: str | None, strong: bool) -> None:
    try:
        need_fresh(actor(ada, method=method))
    except StepUpNeeded:
        assert not strong
    else:
        assert strong
