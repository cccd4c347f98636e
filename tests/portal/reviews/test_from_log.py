"""Questions about facts arrive answered from the log, and what the log does not say is never answered with yes."""

from collections.abc import Callable

import pytest

from audit.log.append import Entry, now_ms
from portal.clock import ms
from portal.grants.models import Grant
from portal.reviews import actions
from portal.reviews.from_log import GONE, WHOLE, answers_from_log
from tests.audit.cases.written import GATHER, SOURCE, entry, judge, write
from tests.browsing import browser_of
from tests.portal.reviews.used import FINE, events_of, grant_of, taken
from tests.worlds import World, actor, make_world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> World:
    return make_world()


def read_back(grant: Grant, *, clear: bool = True, read_from: str = "target") -> None:
    write(entry(grant, "grant.read_back", grant_id=grant.pk, system_id=grant.system_id, clear=clear, read_at=now_ms(), read_back_from=read_from,
                remainders=[] if clear else ["login"], drift=[], sessions_ended=0, attempt=1))  # fmt: skip


def orphan(grant: Grant, *, before_ms: int = 60_000, system: object = None) -> None:
    assert grant.ended_at
    at = ms(grant.ended_at) - before_ms
    fields = {"session_id": "s", "source_id": SOURCE, "system_id": system or grant.system_id, "source_session": "9.9", "login": "stranger", "started_at": at,
              "why": "no_grant", "received_at": at}  # fmt: skip
    write(Entry("session.unmatched", GATHER, fields, at=at))


def revealed(grant: Grant) -> None:
    write(entry(grant, "grant.revealed", grant_id=grant.pk, person_id=grant.person_id))


def lasting(grant: Grant) -> None:
    write(entry(grant, "grant.revealed", grant_id=grant.pk, person_id=grant.person_id, exposes_secret=True))


SAID: list[tuple[str, str, str, list[Callable[[Grant], None]]]] = [
    (WHOLE, "unsure", "nobody knows", []),
    (WHOLE, "yes", "complete", [lambda grant: judge(grant, "complete")]),
    (WHOLE, "yes", "reconciled", [lambda grant: judge(grant, "gap", ["4-6"]), lambda grant: judge(grant, "reconciled")]),
    (WHOLE, "no", "Missing: 4-6.", [lambda grant: judge(grant, "gap", ["4-6"])]),
    (WHOLE, "no", "gap", [lambda grant: judge(grant, "complete"), lambda grant: judge(grant, "gap", source="other")]),
    (WHOLE, "unsure", "pending", [lambda grant: judge(grant, "pending")]),
    (WHOLE, "unsure", "not covered", [lambda grant: judge(grant, "complete"), lambda grant: judge(grant, "not covered", source="other")]),
    (WHOLE, "unsure", "1 connection that no grant explains", [lambda grant: judge(grant, "complete"), orphan]),
    (WHOLE, "yes", "complete", [lambda grant: judge(grant, "complete"), lambda grant: orphan(grant, before_ms=-1000)]),
    (WHOLE, "yes", "complete", [lambda grant: judge(grant, "complete"), lambda grant: orphan(grant, system="another")]),
    (GONE, "unsure", "not read back yet", []),
    (GONE, "yes", "neither the right nor a live session", [read_back]),
    (GONE, "yes", "shown once; it belonged to a login that is gone", [revealed, read_back]),
    (GONE, "no", "still showed: login", [lambda grant: read_back(grant, clear=False)]),
    (GONE, "yes", "neither", [lambda grant: read_back(grant, clear=False), read_back]),
    (GONE, "unsure", "Read back from the portal", [lambda grant: read_back(grant, read_from="portal")]),
    (GONE, "unsure", "has to be rotated", [lasting, read_back]),
]  # fmt: skip


def test_answers_rest_on_what_the_log_says(world: World) -> None:
    for hours, (question, answer, says, told) in enumerate(SAID, 1):
        review = taken(world, ended_h=hours)
        for tell in told:
            tell(grant_of(review))
        found = answers_from_log(review)[question]
        assert (found.answer, says in " ".join(found.says)) == (answer, True), (says, found)


def test_form_arrives_answered_and_the_reviewer_has_the_last_word(world: World) -> None:
    review, kim = taken(world), browser_of(world.kim)
    judge(grant_of(review), "gap", ["4-6"])
    form = kim.get(f"/reviews/{review.pk}/").context["form"]
    assert (form[WHOLE].value(), form[GONE].value(), form["Q01"].value()) == ("no", None, None)
    assert "Missing: 4-6." in form[f"{WHOLE}_comment"].value()
    actions.save(
        by=actor(world.kim), review=review, answers={WHOLE: {"answer": "yes", "comment": "The gap was filled."}}
    )
    assert kim.get(f"/reviews/{review.pk}/").context["form"][WHOLE].value() == "yes"
    read_back(grant_of(review))
    actions.submit(by=actor(world.kim), review=review, answers=FINE, outcome="accepted")
    (event,) = events_of(review, "review.submitted")
    assert event.fields["log_says"] == {WHOLE: "no", GONE: "yes"}


def test_times_in_a_verdicts_reasons_stand_as_the_request_s_page_shows_them(world: World) -> None:
    review = taken(world, ended_h=1)
    written = "Heartbeats came back at 2026-11-30 19:40:31.863 UTC and at 2026-13-45 19:42:02 UTC."
    judge(grant_of(review), "complete", reasons=[written])
    assert answers_from_log(review)[WHOLE].says[1:] == (
        "Heartbeats came back at 30 Nov 2026, 19:40:31 UTC and at 2026-13-45 19:42:02 UTC.",
    )
