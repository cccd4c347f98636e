"""Time is what was on screen, several tabs count once, and without a script nothing is measured; owners see figures, never accusations."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.facts.fold import fold_entry
from audit.facts.fold.state import Facts
from audit.log.append import clock, now_ms
from audit.log.read import follow
from portal.reviews import actions, judges, sittings
from portal.reviews.models import Review, Sitting
from tests.at_once import at_once
from tests.audit.cases.written import Did, do
from tests.browsing import browser_of
from tests.portal.reviews.used import FINE, events_of, follow_all, grant_of, submitted, taken
from tests.worlds import World, actor, make_world

SPANS = st.lists(st.tuples(st.integers(0, 60_000), st.integers(0, 60_000)), max_size=30)


@pytest.fixture
def world(transactional_db: None) -> World:
    return make_world()


@given(SPANS)
def test_union_counts_each_moment_once_whatever_the_order(spans: list[tuple[int, int]]) -> None:
    found = sittings.union(spans)
    assert found == sittings.union(reversed(spans))
    assert all(begun < ended for begun, ended in found)
    assert all(before[1] + 1000 < after[0] for before, after in pairwise(found))
    moments = {moment for begun, ended in spans for moment in range(begun, ended, 500)}
    assert all(any(begun <= moment <= ended for begun, ended in found) for moment in moments)


def note(review: Review, world: World, later_ms: int, *ages: tuple[int, int], **given: Any) -> int | None:
    """Noted so long after the review was taken."""
    at = now_ms() + later_ms
    with clock(lambda: at):
        return sittings.seconds_of(sittings.note(review=review, person=world.kim, ages=ages, **given))


def test_two_tabs_count_once_and_a_wrong_clock_does_no_harm(world: World) -> None:
    review = taken(world)
    assert note(review, world, 100_000, (15_000, 0)) == 15
    assert note(review, world, 105_000, (15_000, 0)) in (19, 20)  # the second tab, five seconds later
    assert note(review, world, 300_000, (10_000, 5_000)) in (24, 25)
    for strange in ((0, 0), (5, 10), (-5, 0), (10**9, 0), (61_000, 0)):
        assert note(review, world, 300_000, strange) in (24, 25)
    assert note(review, world, 300_000, *[(1, 0)] * 1000) in (24, 25)


def test_nothing_before_it_was_taken_is_counted(world: World) -> None:
    assert note(taken(world), world, 2_000, (60_000, 0)) in (1, 2)


def test_fifty_tabs_at_once_lose_nothing(world: World) -> None:
    review, at = taken(world), now_ms() + 200_000
    at_once(50, lambda: _at(at, review, world))
    assert (Sitting.objects.count(), sittings.seconds_of(Sitting.objects.get())) == (1, 30)


def _at(at: int, review: Review, world: World) -> Sitting:
    with clock(lambda: at):
        return sittings.note(review=review, person=world.kim, ages=[(30_000, 0)], opened=["acts"])


def test_judgement_tells_the_log_and_the_fold_what_was_on_screen(world: World) -> None:
    review, kim = taken(world), browser_of(world.kim)
    do(grant_of(review), [Did("SELECT 1"), Did("SELECT 2")])
    kim.get(f"/reviews/{review.pk}/")
    note(review, world, 100_000, (60_000, 0))
    actions.submit(by=actor(world.kim), review=review, answers=FINE, outcome="accepted")
    (event,) = events_of(review, "review.submitted")
    told = {name: event.fields[name] for name in ("active_seconds", "evidence_skipped", "activities_seen")}
    assert told == {"active_seconds": 60, "evidence_skipped": 1, "activities_seen": 2}
    follow_all()
    facts = Facts()
    for entry in follow(0, limit=10_000):
        facts.begin(entry, damaged=False)
        fold_entry(facts, entry)
    row = facts.get("sittings", str(review.pk))
    assert (row["active_seconds"], row["evidence_skipped"], row["actions"]) == (60, 1, 2)


def test_without_a_script_nothing_is_measured_and_evidence_is_known_by_its_pages(world: World) -> None:
    review, kim = taken(world), browser_of(world.kim)
    kim.get(f"/reviews/{review.pk}/")
    kim.get(f"/reviews/{review.pk}/acts/")
    actions.submit(by=actor(world.kim), review=review, answers=FINE, outcome="accepted")
    (event,) = events_of(review, "review.submitted")
    assert ("active_seconds" in event.fields, event.fields["evidence_skipped"]) == (False, 0)


def test_evidence_is_opened_when_its_part_is_fetched_and_by_its_reviewer_alone(world: World) -> None:
    review = taken(world)
    part = f"/reviews/{review.pk}/acts/?part=1"
    answer = browser_of(world.lea).get(part)
    assert (answer.status_code, answer.headers["Location"]) == (
        302,
        f"/cases/{review.request_id}/acts/?review={review.pk}",
    )
    assert not Sitting.objects.exists()
    page = browser_of(world.kim).get(f"/reviews/{review.pk}/").content.decode()
    assert (f'hx-get="{part}"' in page, Sitting.objects.get().opened) == (True, ["said"])
    assert browser_of(world.kim).get(part, follow=True).status_code == 200
    assert Sitting.objects.get().opened == ["acts", "said"]


def test_only_its_reviewer_is_measured_and_nonsense_is_taken_as_nothing(world: World) -> None:
    review = taken(world)
    address, said = (
        f"/reviews/{review.pk}/on-screen/",
        {"on_screen": ["15000-0", "x", "1-", "-", "²-0", "9" * 20 + "-0"], "opened": ["acts", "all"]},
    )
    assert [browser_of(world.people[name]).post(address, said).status_code for name in ("kim", "lea", "mo", "ann")] == [
        204,
        403,
        403,
        403,
    ]
    row = Sitting.objects.get()
    assert (row.person, row.opened) == (world.kim, [])  # the browser is not asked what was opened
    others = browser_of(world.lea)
    others.get(f"/reviews/{review.pk}/")
    assert Sitting.objects.count() == 1


def test_owners_see_figures_and_nobody_else_does(world: World) -> None:
    first, second = taken(world), submitted(world, "lea", by="ben")
    note(first, world, 100_000, (30_000, 0))
    answers = FINE | {
        "Q01": {"answer": "no", "comment": "It could wait."},
        "Q09": {"answer": "unsure", "comment": "it could wait."},
    }
    actions.submit(by=actor(world.kim), review=first, answers=answers, outcome="not_accepted")
    kim, lea = judges.figures_for(world.mo)
    assert (kim.name, kim.reviews, kim.measured, kim.shorter, kim.share_of_reading, kim.kept, kim.same_comment) == (
        "Kim",
        1,
        1,
        1,
        50,
        0,
        2,
    )
    assert (lea.name, lea.share_of_reading, lea.kept, second.state) == ("Lea", None, 100, "submitted")
    assert "50 % of what reading takes; 1 of 1 shorter" in browser_of(world.mo).get("/reviews/judges/").content.decode()
    assert {browser_of(world.people[name]).get("/reviews/judges/").status_code for name in ("kim", "otto", "zoe")} == {
        403
    }
    assert judges.figures_for(world.kim) == []


@pytest.mark.parametrize(("many", "seconds"), [(0, 60), (1, 62), (50, 160), (5000, 160)])
def test_reading_takes_what_the_catalogue_says(many: int, seconds: int) -> None:
    assert judges.needed(many) == seconds
