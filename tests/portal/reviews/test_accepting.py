"""What was outside the intent is accepted one by one or as a class, each time with a note; what comes later is not accepted with it."""

import json
import sqlite3
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.cases import acts
from audit.cases.acts_following import catch_up, rebuild
from audit.cases.models import ActRow
from audit.cases.reading import record_of
from audit.facts.fold import fold_entry
from audit.facts.fold.state import Facts
from audit.log.append import LogUnavailable
from audit.log.read import follow, size
from audit.sources.records import session_uuid
from portal.errors import ChangedMeanwhile, NotAllowed, Refused, RefusedByPolicy, WrongState
from portal.reviews import accepting, actions
from portal.reviews.models import Acceptance, Review
from tests.at_once import at_once
from tests.audit.cases.written import SOURCE, Did, do, learn
from tests.browsing import browser_of
from tests.factories import broken_log
from tests.portal.reviews.used import FINE, due, events_of, follow_all, grant_of, submitted, taken, used
from tests.worlds import World, actor, make_world

pytestmark = pytest.mark.django_db(transaction=True)
ONE, TWO = "6741a0.1f3c", "6741a0.2b00"


@pytest.fixture
def world() -> World:
    return make_world()


def busy(world: World) -> tuple[Review, list[str]]:
    """A use of two sessions; four drops were not meant, one of them failed."""
    review = taken(world)
    first = do(
        grant_of(review), [Did("SELECT 1"), Did("DROP TABLE a", "schema_change"), Did("DROP TABLE b", "schema_change")]
    )
    second = do(
        grant_of(review),
        [Did("DROP TABLE c", "schema_change"), Did("DROP TABLE d", "schema_change", "failed")],
        session=TWO,
    )
    follow_all()
    return review, [*first, *second]


def counted(review: Review) -> tuple[int, int, int, int]:
    found = acts.grouped(acts.use_of(review.log_case)).totals
    return found.all, found.failed, found.outside, found.accepted


def test_actions_are_counted_and_grouped_failed_ones_first(world: World) -> None:
    review, ids = busy(world)
    assert counted(review) == (5, 1, 4, 0)
    use = acts.use_of(review.log_case)
    found = acts.grouped(use)
    assert [(each.kind, each.session, each.count, each.failed, each.outside) for each in found.groups] == [
        ("schema_change", TWO, 2, 1, True), ("schema_change", ONE, 2, 0, True), ("data_read", ONE, 1, 0, False),
    ]  # fmt: skip
    rows, _ = acts.rows_of(use, only="attention")
    assert (rows[0].activity_id, {row.activity_id for row in rows[1:]}) == (ids[4], set(ids[1:4]))
    assert found.next == ""


@pytest.mark.parametrize(("named", "says"), [(("data_read",), "out of intent"), ((), "with no intent named")])
def test_where_no_kind_was_named_nothing_is_called_out_of_intent(
    world: World, named: tuple[str, ...], says: str
) -> None:
    review = taken(world, mode="bypass", intended_classes=named)
    do(grant_of(review), [Did("DROP TABLE a", "schema_change")])
    follow_all()
    kim = browser_of(world.people["kim"])
    pages = [kim.get(f"/cases/{review.log_case}/acts/{rest}").content.decode() for rest in ("", "rows/?only=attention")]
    words = ("out of intent", "with no intent named")
    assert [[word for word in words if word in page.lower()] for page in pages] == [[says], [says]]


def test_outcome_that_is_told_later_changes_the_count_and_rebuilding_changes_nothing(world: World) -> None:
    review, ids = busy(world)
    learn(grant_of(review), ids[0], "failed")
    follow_all()
    before = list(ActRow.objects.order_by("index").values())
    assert (counted(review)[1], catch_up()) == (2, 0)
    assert rebuild() == 5
    assert list(ActRow.objects.order_by("index").values()) == before


@pytest.mark.parametrize("limit", [1, 3])
def test_list_is_the_same_in_however_small_steps_it_follows(world: World, limit: int) -> None:
    busy(world)
    before = list(ActRow.objects.order_by("index").values())
    assert len(before) == 5
    ActRow.objects.all().delete()
    acts_position_back()
    while catch_up(limit):
        pass
    assert list(ActRow.objects.order_by("index").values()) == before


def acts_position_back() -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE audit_case_list_position SET next_index = 0 WHERE id = 2")


def test_pages_go_on_from_a_key_and_none_is_lost_or_doubled(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    review, ids = busy(world)
    monkeypatch.setattr(acts, "ROWS", 2)
    monkeypatch.setattr(acts, "GROUPS", 1)
    use = acts.use_of(review.log_case)

    def groups(after: str) -> tuple[tuple[acts.Group, ...], str]:
        found = acts.grouped(use, after)
        return found.groups, found.next

    for ask in (lambda after: acts.rows_of(use, after=after), groups):
        found: list[Any] = []
        after, more = "", True
        while more:
            some, after = ask(after)
            found += some
            more = bool(after)
        keys = [getattr(each, "activity_id", None) or (each.session_id, each.kind) for each in found]
        assert len(keys) == len(set(keys))
        assert sum(getattr(each, "count", 1) for each in found) == len(ids)


@pytest.mark.parametrize("after", ["", "1", "a-b-c", "1-2-3-4", "9" * 30, "1-2-%00", "-1-2-3", "²-1-1"])
def test_key_that_cannot_be_read_is_the_beginning(world: World, after: str) -> None:
    review, _ = busy(world)
    assert len(acts.rows_of(acts.use_of(review.log_case), after=after)[0]) == 5


# --- accepting


def test_accepted_one_by_one_and_in_groups(world: World) -> None:
    review, ids = busy(world)
    kim = actor(world.kim)
    accepting.accept(by=kim, review=review, activities=[ids[1], ids[1]], note=" It was full. ")
    assert counted(review) == (5, 1, 4, 1)
    group = accepting.accept_group(
        by=kim,
        review=review,
        kind="schema_change",
        upto=size(),
        note="All were full.",
        session=session_uuid(SOURCE, TWO),
    )
    assert (counted(review)[3], group.count) == (3, 2)
    accepting.accept_group(by=kim, review=review, kind="schema_change", upto=size(), note="All of them.")
    assert counted(review)[3] == 4
    accepting.take_back(by=kim, acceptance=group)
    record = record_of(review.log_case)
    assert record is not None
    assert {each.id for each in record.case.activities if each.accepted} == set(ids[1:])
    names = [event.name for event in events_of(review, "review.acts_accepted", "review.acceptance_taken_back")]
    assert names == ["review.acts_accepted"] * 3 + ["review.acceptance_taken_back"]
    (first, *_) = events_of(review, "review.acts_accepted")
    assert (first.fields["count"], first.personal["note"]) == (1, "It was full.")


def test_facts_hold_each_action_of_an_accepted_group_and_none_that_came_later(world: World) -> None:
    review, ids = busy(world)
    kim = actor(world.kim)
    taken_back = accepting.accept(by=kim, review=review, activities=[ids[0]], note="Meant.")
    accepting.take_back(by=kim, acceptance=taken_back)
    accepting.accept_group(by=kim, review=review, kind="schema_change", upto=size() - 1, note="All of them.")
    do(grant_of(review), [Did("DROP TABLE e", "schema_change")], session="6741a0.3c00")
    actions.submit(by=kim, review=review, answers=FINE, outcome="accepted")
    follow_all()
    assert counted(review) == (6, 1, 5, 4)
    facts = Facts()
    for entry in follow(0, limit=10_000):
        facts.begin(entry, damaged=False)
        fold_entry(facts, entry)
    assert facts.get("reviews", str(review.pk))["accepted_activities"] == sorted(ids[1:])


def test_same_group_again_holds_what_came_since(world: World) -> None:
    review, _ = busy(world)
    kim, upto = actor(world.kim), size() - 1
    accepting.accept_group(by=kim, review=review, kind="schema_change", upto=upto, note="All.")
    with pytest.raises(ChangedMeanwhile):
        accepting.accept_group(by=kim, review=review, kind="schema_change", upto=upto, note="All.")
    do(grant_of(review), [Did("DROP TABLE e", "schema_change")], session="6741a0.3c00")
    follow_all()
    again = accepting.accept_group(by=kim, review=review, kind="schema_change", upto=size() - 1, note="That too.")
    assert (list(Acceptance.objects.all()), again.count) == ([again], 5)


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"activities": []}, RefusedByPolicy),
        ({"activities": ["x" * 81]}, RefusedByPolicy),
        ({"activities": ["a\x00b"]}, RefusedByPolicy),
        ({"activities": ["é"]}, RefusedByPolicy),
        ({"activities": [str(number) for number in range(201)]}, RefusedByPolicy),
        ({"activities": ["of nobody"]}, RefusedByPolicy),
        ({"kind": "permission_change", "upto": 9}, RefusedByPolicy),
        ({"kind": "data_read", "upto": 10**6}, RefusedByPolicy),  # it was meant
        ({"kind": "schema_change", "upto": 0}, RefusedByPolicy),  # before all of them
        ({"kind": "schema_change", "upto": 10**6, "note": " "}, RefusedByPolicy),
    ],
)  # fmt: skip
def test_what_is_not_of_this_use_or_has_no_note_is_refused_and_on_record(
    world: World, given: dict[str, Any], error: type[Refused]
) -> None:
    review, _ = busy(world)
    act: Any = accepting.accept_group if "kind" in given else accepting.accept
    with pytest.raises(error):
        act(by=actor(world.kim), review=review, **{"note": "Needed.", **given})
    assert (Acceptance.objects.count(), events_of(review)[-1].name) == (0, "review.act_refused")


def test_actions_of_another_use_are_not_accepted(world: World) -> None:
    review, other = taken(world), used(world, "ben")
    ids = do(other, [Did("DROP TABLE x", "schema_change")])
    with pytest.raises(RefusedByPolicy, match="not of this use"):
        accepting.accept(by=actor(world.kim), review=review, activities=ids, note="Needed.")


@pytest.mark.parametrize(("name", "error"), [("lea", NotAllowed), ("mo", NotAllowed), ("ann", NotAllowed)])
def test_nobody_but_its_reviewer_accepts(world: World, name: str, error: type[Refused]) -> None:
    review, ids = busy(world)
    with pytest.raises(error):
        accepting.accept(by=actor(world.people[name]), review=review, activities=ids[:1], note="Needed.")
    assert Acceptance.objects.count() == 0


def test_nothing_is_accepted_before_it_is_taken_or_after_it_is_submitted(world: World) -> None:
    waiting, done = due(world), submitted(world, by="ben")
    for review, error in ((waiting, NotAllowed), (done, ChangedMeanwhile)):
        with pytest.raises((error, WrongState)):
            accepting.accept(by=actor(world.kim), review=review, activities=["x"], note="Needed.")


def test_fifty_acceptances_of_one_group_are_one(world: World) -> None:
    review, _ = busy(world)
    upto = size() - 1
    got = at_once(
        50,
        lambda: accepting.accept_group(
            by=actor(world.kim), review=review, kind="schema_change", upto=upto, note="All."
        ),
    )
    assert sum(isinstance(each, Acceptance) for each in got) == 1
    assert sum(isinstance(each, ChangedMeanwhile) for each in got) == 49
    assert len(events_of(review, "review.acts_accepted")) == 1


def test_nothing_is_kept_that_the_log_does_not_hold(world: World) -> None:
    review, ids = busy(world)
    kept = accepting.accept(by=actor(world.kim), review=review, activities=ids[1:2], note="Needed.")
    with broken_log():
        for act in (
            lambda: accepting.accept(by=actor(world.kim), review=review, activities=ids[2:3], note="Needed."),
            lambda: accepting.accept_group(
                by=actor(world.kim), review=review, kind="schema_change", upto=size(), note="All."
            ),
            lambda: accepting.take_back(by=actor(world.kim), acceptance=kept),
        ):
            with pytest.raises(LogUnavailable):
                act()
    assert list(Acceptance.objects.all()) == [kept]


# --- pages


def test_way_through_the_pages(world: World) -> None:
    review, ids = busy(world)
    kim, session = browser_of(world.kim), session_uuid(SOURCE, ONE)
    page = kim.get(f"/reviews/{review.pk}/acts/").content.decode()
    assert f'href="/reviews/{review.pk}/acts/?session={session}&amp;kind=schema_change"' in page
    assert "You have opened 0 of" in page
    chosen = {"session": session, "kind": "schema_change"}
    rows = kim.get(f"/reviews/{review.pk}/acts/", chosen).content.decode()
    assert ("DROP TABLE a" in rows, "DROP TABLE c" in rows, rows.count('name="accepted"')) == (True, False, 2)
    sent = {**chosen, "accepted": ids[1], "upto": size() - 1}
    back = kim.post(f"/reviews/{review.pk}/accept/", sent)
    assert (back.status_code, "Say why this is acceptable." in back.content.decode()) == (422, True)
    assert f'value="{ids[1]}" checked' in back.content.decode()
    assert kim.post(f"/reviews/{review.pk}/accept/", {**sent, "note": "Full."}).status_code == 302
    assert kim.post(f"/reviews/{review.pk}/accept/", {**sent, "note": "All.", "whole": "1"}).status_code == 302
    kim.get(f"/reviews/{review.pk}/acts/", chosen)
    assert "You have opened 1 of" in kim.get(f"/reviews/{review.pk}/acts/").content.decode()
    shown = kim.get(f"/reviews/{review.pk}/")
    assert "You have opened 1 of the groups of what was done" in shown.content.decode()
    assert [(each.count, each.note) for each, _ in shown.context["acceptances"]] == [(1, "Full."), (2, "All.")]
    known = Acceptance.objects.get(note="All.")
    typed, address = (
        {"Q01": "yes", "Q01_comment": "Writes did hang."},
        f"/reviews/{review.pk}/accepted/{known.pk}/take-back/",
    )
    long = kim.post(address, {**typed, "Q02_comment": "x" * 2001})
    assert (long.status_code, long.context["form"]["Q01_comment"].value()) == (422, "Writes did hang.")
    assert Acceptance.objects.filter(pk=known.pk).exists()
    assert kim.post(address, typed).status_code == 302
    review.refresh_from_db()
    assert review.answers["Q01"] == {"answer": "yes", "comment": "Writes did hang."}
    assert kim.post(f"/reviews/{review.pk}/accepted/{known.pk}/take-back/").status_code == 404
    assert Acceptance.objects.count() == 1


def test_others_see_the_actions_without_ticks(world: World) -> None:
    review, _ = busy(world)
    page = browser_of(world.mo).get(f"/reviews/{review.pk}/acts/", {"only": "attention"}).content.decode()
    assert ("DROP TABLE d" in page, 'name="accepted"' in page) == (True, False)


@pytest.mark.parametrize(
    "query", ["session=%00&kind=x", "kind=%F0%9F%92%A3", "only=nothing", "after=%00", f"kind={'x' * 500}"]
)
def test_strange_addresses_show_a_page(world: World, query: str) -> None:
    review, _ = busy(world)
    assert browser_of(world.kim).get(f"/reviews/{review.pk}/acts/?{query}").status_code == 200


def test_pages_take_as_many_queries_for_many_actions_as_for_one(world: World) -> None:
    counts = set()
    review = taken(world)
    kim = browser_of(world.kim)
    for session, many in (("6741a0.4a00", 1), ("6741a0.4a01", 3)):
        do(grant_of(review), [Did(f"DROP TABLE t{number}", "schema_change") for number in range(many)], session=session)
        follow_all()
        for address in (
            f"/cases/{review.log_case}/acts/?review={review.pk}",
            f"/cases/{review.log_case}/acts/rows/?only=attention",
        ):
            kim.get(address)
            with CaptureQueriesContext(connection) as captured:
                kim.get(address)
            counts.add((address, len(captured)))
    assert len(counts) == 2


def test_accepted_actions_of_a_large_group_are_judged_without_a_search_for_each() -> None:
    """The clause of T-13 looks accepted actions up: 20,000 of them within a number of steps that a search for each would pass by far."""
    from audit.controls.loading import load_catalogue

    (clause,) = [each.sql for each in load_catalogue().tests["T-13"].must if each.name == "class_asked"]
    db = sqlite3.connect(":memory:")
    many = 20_000
    db.executescript(
        "CREATE TABLE activities (id TEXT PRIMARY KEY, class TEXT); CREATE TABLE openings (id TEXT, intended_classes TEXT);"
        "CREATE TABLE reviews (id TEXT, grant_id TEXT, submitted_at INTEGER, accepted_activities TEXT);"
        "INSERT INTO openings VALUES ('g', '[]');"
    )
    db.executemany("INSERT INTO activities VALUES (?, 'schema_change')", [(f"a{number}",) for number in range(many)])
    db.execute(
        "INSERT INTO reviews VALUES ('r', 'g', 1, ?)", [json.dumps([f"a{number}" for number in range(many - 1)])]
    )
    steps = 0

    def step() -> int:
        nonlocal steps
        steps += 1
        return int(steps > 2_000)

    db.set_progress_handler(step, 10_000)
    (accepted,) = db.execute(f"SELECT sum({clause}) FROM activities CROSS JOIN openings").fetchone()
    assert accepted == many - 1
