"""Who left and who moved by a personnel list: once looked at, once confirmed, all of it or nothing."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.log.append import LogUnavailable, process
from audit.log.read import of_subject
from portal.clock import ms, now
from portal.eligibility.models import Eligibility, RoleAssignment
from portal.errors import ChangedMeanwhile, NotAllowed, Refused, RefusedByPolicy, StepUpNeeded, WrongState
from portal.grants import ending
from portal.notifications.models import Alert
from portal.people.models import Person, SignIn
from portal.people.sponsoring import begin
from portal.personnel import actions, words
from portal.personnel.models import PersonnelList
from tests.factories import broken_log, client_of, fields_of, names_by_subject
from tests.portal.personnel.listed import QUERY, content, imported, plan, read
from tests.worlds import World, actor, make_world, opened, sealing

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> World:
    made = make_world()
    RoleAssignment.objects.filter(person__in=[made.pia, made.quinn]).update(system=None)
    return made


def everything() -> tuple[list[Any], ...]:
    models = (Person, SignIn, RoleAssignment, Eligibility)
    return tuple(list(model._base_manager.order_by("pk").values()) for model in models)


@pytest.fixture
def sealed(world: World) -> Iterator[World]:
    with sealing():
        yield world


def test_leaver_loses_everything_at_import_and_the_end_is_read_back(sealed: World) -> None:
    world = sealed
    client_of(world.ann)
    grant = opened(world)
    given = content(world, without=("ann",), more="new@example.org,Nils,Sales,,,")
    assert next(text for _, text in words.sentences(plan(given))) == (
        "Ann is not on the list: the account ends, with 1 role, 1 place on a list and 1 open grant."
    )
    row = imported(world, given)
    assert ending.run(grant.pk).state == "ended"  # which it is only once the target was read back
    world.ann.refresh_from_db()
    assert world.ann.left_at is not None
    assert not SignIn.objects.filter(person=world.ann, ended_at__isnull=True).exists()
    for rows in (RoleAssignment.objects.filter(person=world.ann), Eligibility.objects.filter(person=world.ann)):
        assert [each.ended_cause for each in rows] == ["left"]
    (told,) = (each.fields for each in of_subject(row.log_subject, ["personnel.imported"]))
    assert {name: told[name] for name in ("rows", "joiners", "movers", "leavers", "people", "sha256")} == {
        "rows": 11, "joiners": 1, "movers": 0, "leavers": 1, "people": 11, "sha256": row.sha256,
    }  # fmt: skip
    assert [each.fields["list_id"] for each in of_subject(world.ann.log_subject, ["person.left"])] == [str(row.pk)]
    assert not Person.objects.filter(email="new@example.org").exists()


def test_who_works_for_another_company_leaves_by_no_list_while_the_contract_runs(world: World) -> None:
    contract = begin(world.ann, world.mo, now() + timedelta(days=1), now())
    given = content(world, without=("ann", "ben"))
    assert [each.person for each in plan(given).leavers] == [world.ben]
    contract.contract_end = now() - timedelta(days=1)
    contract.save()
    assert [each.person for each in plan(given).leavers] == [world.ann, world.ben]


def test_file_is_kept_until_it_is_decided_on_and_query_and_hash_for_good(world: World) -> None:
    given = content(world)
    row = read(world, given)
    assert bytes(PersonnelList.objects.get(pk=row.pk).content or b"") == given
    actions.discard(by=actor(world.quinn), row=row)
    row.refresh_from_db()
    assert (row.state, row.content, row.query, len(row.sha256)) == ("discarded", None, QUERY, 64)
    assert names_by_subject(row.log_subject) == ["personnel.read", "personnel.discarded"]


def test_day_of_leaving_is_the_personnel_systems_and_a_day_to_come_changes_nothing(world: World) -> None:
    yesterday, tomorrow = (now() + timedelta(days=days) for days in (-2, 1))
    says = {"ann": f"Operations,,{yesterday:%Y-%m-%d},", "ben": f"Operations,,{tomorrow:%Y-%m-%d},"}
    imported(world, content(world, says=says))
    world.ben.refresh_from_db()
    assert world.ben.left_at is None
    midnight = ms((yesterday + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0))
    assert fields_of("person.left", world.ann.log_subject)["left_at"] == midnight


def test_who_moved_keeps_lists_for_a_day_and_everybody_concerned_is_told(world: World) -> None:
    imported(world, content(world))
    listed = Eligibility.objects.get(person=world.ann)
    assert (listed.to_at, Person.objects.get(pk=world.ann.pk).unit) == (None, "Operations")
    imported(world, content(world, says={"ann": "Sales,,,"}))
    world.ann.refresh_from_db()
    listed.refresh_from_db()
    assert world.ann.moved_at is not None
    assert (listed.to_at, listed.ended_at) == (world.ann.moved_at + timedelta(hours=24), None)
    assert RoleAssignment.objects.get(person=world.ann).ended_at is None
    assert fields_of("person.moved", world.ann.log_subject)["moved_at"] == ms(world.ann.moved_at)
    assert {each.recipient_id for each in Alert.objects.filter(kind="person.moved")} == {world.ann.pk, world.mo.pk}


def test_move_of_long_ago_ends_lists_at_once_with_what_is_open(sealed: World) -> None:
    world = sealed
    grant = opened(world)
    imported(world, content(world))
    ago = now() - timedelta(days=3)
    imported(world, content(world, says={"ann": f"Sales,,,{ago:%Y-%m-%d}"}))
    grant.refresh_from_db()
    assert (Eligibility.objects.get(person=world.ann).ended_cause, grant.state, grant.end_cause) == (
        "moved",
        "closing",
        "revoked",
    )


def test_managers_are_noted_once(world: World) -> None:
    given = content(world, says={"ann": f"Operations,{world.mo.email},,"})
    imported(world, given)
    world.ann.refresh_from_db()
    assert world.ann.manager == world.mo
    assert fields_of("person.manager_set", world.ann.log_subject)["manager_id"] == str(world.mo.pk)
    assert plan(given).placed == ()


def test_managers_who_would_report_in_a_circle_are_left_as_they_are_and_said(world: World) -> None:
    imported(world, content(world, says={"ann": f"Operations,{world.mo.email},,"}))
    given = content(world, says={"ann": f"Operations,{world.mo.email},,", "mo": f"Operations,{world.kim.email},,",
                                 "kim": f"Operations,{world.ann.email},,", "ben": f"Operations,{world.kim.email},,"})  # fmt: skip
    assert [each.name for each in plan(given).circles] == ["Kim", "Mo"]
    imported(world, given)
    reports = dict(Person.objects.filter(manager__isnull=False).values_list("name", "manager__name"))
    assert reports == {"Ann": "Mo", "Ben": "Kim"}
    assert next(text for kind, text in words.sentences(plan(given)) if kind == "circle").startswith("Kim: the manager")


def test_who_leaves_by_a_list_manages_nobody_by_it(world: World) -> None:
    given = content(world, says={"ann": f"Operations,{world.mo.email},,", "mo": "Operations,,2020-01-01,"})
    assert ([each.person for each in plan(given).leavers], plan(given).managers) == ([world.mo], {})
    imported(world, given)
    assert not Person.objects.filter(manager__isnull=False).exists()


def test_same_file_again_is_an_answer_that_does_nothing(world: World) -> None:
    given = content(world, without=("zoe",))
    imported(world, given)
    before = everything()
    row = imported(world, given)
    assert everything() == before
    assert (row.outcome or {})["leavers"] == 0


def test_confirming_twice_does_nothing_twice(world: World) -> None:
    given = content(world, without=("zoe",))
    row, shown = read(world, given), plan(given).fingerprint
    actions.confirm(by=actor(world.pia), row=row, shown=shown)
    before = everything()
    with pytest.raises(WrongState):
        actions.confirm(by=actor(world.pia), row=row, shown=shown)
    with pytest.raises(WrongState):
        actions.discard(by=actor(world.pia), row=row)
    assert everything() == before


def test_list_that_is_older_than_another_is_refused(world: World) -> None:
    first = content(world, without=("zoe",))
    imported(world, first)
    imported(world, content(world, without=("zoe", "otto")))
    for given, taken_at in (
        (first, now()),
        (content(world), now() - timedelta(hours=1)),
        (content(world), now() - timedelta(days=32)),
    ):
        with pytest.raises(RefusedByPolicy):
            actions.read(by=actor(world.pia), content=given, query=QUERY, taken_at=taken_at)


def test_large_list_needs_a_second_administrator(world: World) -> None:
    given = content(world, without=("zoe", "otto", "lea"))
    row, shown = read(world, given), plan(given).fingerprint
    before = everything()
    row = actions.confirm(by=actor(world.pia), row=row, shown=shown)
    assert (row.state, everything() == before) == ("waits", True)
    with pytest.raises(NotAllowed):
        actions.confirm(by=actor(world.pia), row=row, shown=shown)
    row = actions.confirm(by=actor(world.quinn), row=row, shown=shown)
    assert (row.state, Person.objects.filter(left_at__isnull=False).count()) == ("done", 3)
    assert fields_of("personnel.imported", row.log_subject)["asked_by"] == str(world.pia.pk)


def test_large_list_in_slices_needs_a_second_administrator(world: World) -> None:
    """Eleven people: one leaves, one more, and with the third it is more than a fifth of those who were here a week ago."""
    gone: tuple[str, ...] = ()
    for name in ("zoe", "otto"):
        gone = (*gone, name)
        assert imported(world, content(world, without=gone)).state == "done"
    given = content(world, without=(*gone, "lea"))
    row = actions.confirm(by=actor(world.pia), row=read(world, given), shown=plan(given).fingerprint)
    assert (row.state, Person.objects.filter(left_at__isnull=False).count()) == ("waits", 2)
    assert fields_of("personnel.second_asked", row.log_subject)["lately"] == 2
    assert words.large(plan(given)).endswith("2 left by lists of the last 7 days: together more than a fifth.")
    assert not plan(content(world, without=gone)).is_large
    PersonnelList.objects.filter(state="done").update(decided_at=now() - timedelta(days=8))
    assert not plan(given).is_large


def test_what_two_have_looked_at_counts_no_more(world: World) -> None:
    given = content(world, without=("zoe", "otto", "lea"))
    row, shown = read(world, given), plan(given).fingerprint
    for by in (world.pia, world.quinn):
        row = actions.confirm(by=actor(by), row=row, shown=shown)
    assert row.state == "done"
    assert not plan(content(world, without=("zoe", "otto", "lea", "kim"))).is_large


def test_exactly_a_fifth_is_not_large(world: World) -> None:
    Person.objects.filter(pk=world.zoe.pk).update(left_at=now())
    assert [
        plan(content(world, without=without)).is_large for without in (("otto", "lea"), ("otto", "lea", "kim"))
    ] == [False, True]


Act = Callable[[World, PersonnelList], object]
REFUSED: dict[str, tuple[type[Refused], Act]] = {
    "a responder reads": (NotAllowed, lambda w, _: read(w, content(w), "ann")),
    "a responder confirms": (NotAllowed, lambda w, row: actions.confirm(by=actor(w.ann), row=row, shown=plan(content(w)).fingerprint)),
    "a responder discards": (NotAllowed, lambda w, row: actions.discard(by=actor(w.ann), row=row)),
    "confirmed without a fresh factor": (
        StepUpNeeded, lambda w, row: actions.confirm(by=actor(w.pia, age_s=901), row=row, shown=plan(content(w)).fingerprint)
    ),
    "another plan than was shown": (ChangedMeanwhile, lambda w, row: actions.confirm(by=actor(w.pia), row=row, shown="")),
    "no query": (RefusedByPolicy, lambda w, _: actions.read(by=actor(w.pia), content=content(w), query=" ", taken_at=now())),
    "a broken file": (RefusedByPolicy, lambda w, _: actions.read(by=actor(w.pia), content=b"x", query=QUERY, taken_at=now())),
    "one's own leaving": (NotAllowed, lambda w, _: imported(w, content(w, without=("pia",)))),
    "every administrator leaves": (
        RefusedByPolicy, lambda w, _: actions.confirm(
            by=process("import_personnel"), row=read(w, content(w, without=("pia", "quinn"))),
            shown=plan(content(w, without=("pia", "quinn"))).fingerprint, leavers=2,
        )
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused_and_nothing_done(world: World, name: str) -> None:
    error, act = REFUSED[name]
    row = read(world, content(world))
    before = everything()
    with pytest.raises(error):
        act(world, row)
    assert everything() == before
    assert not PersonnelList.objects.filter(state="done").exists()


def test_log_that_cannot_be_written_leaves_everything(world: World) -> None:
    given = content(world, without=("ann",))
    row, before = read(world, given), everything()
    with broken_log(), pytest.raises(LogUnavailable):
        actions.confirm(by=actor(world.pia), row=row, shown=plan(given).fingerprint)
    assert (everything(), PersonnelList.objects.get(pk=row.pk).state) == (before, "read")


def test_plan_costs_the_same_for_one_leaver_and_for_three(world: World) -> None:
    counts = []
    for without in (("ann",), ("ann", "ben", "kim")):
        with CaptureQueriesContext(connection) as asked:
            assert len(list(words.sentences(plan(content(world, without=without))))) == 11
        counts.append(len(asked))
    assert counts[0] == counts[1] == 6
