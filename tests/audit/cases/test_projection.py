"""The list of cases follows the log: nothing lost, nothing doubled, nothing personal kept."""

import re
import threading

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.forms.models import model_to_dict

from audit.cases import reading
from audit.cases.models import CaseListPosition, CaseRow
from audit.cases.projection import TELLING, catch_up, rebuild
from audit.log.models import Event, PersonalValue
from audit.log.read import size
from portal.access_requests.actions import decline, withdraw
from portal.grants import sweep
from tests.audit.cases.conftest import listed
from tests.audit.cases.written import Did, do, judge, learn, review
from tests.benchmarks import made_cases
from tests.browsing import browser_of
from tests.worlds import World, actor, opened, overdue, request_of


def all_rows() -> list[dict[str, object]]:
    return [model_to_dict(row) for row in CaseRow.objects.order_by("case")]


def test_case_appears_with_what_became_of_it(world: World) -> None:
    grant = opened(world)
    ids = do(grant, [Did("SELECT 1"), Did("DROP TABLE t", "schema_change", "denied"), Did("SELECT 2")])
    declined = request_of(world, "ben", reason="Another thing that nobody will ever need to do.")
    decline(by=actor(world.ines), request=declined, comment="No.")
    withdrawn = request_of(world, "ben", reason="A third thing that is taken back before anybody looks.")
    withdraw(by=actor(world.ben), request=withdrawn)
    listed()
    row = CaseRow.objects.get(pk=str(grant.request_id))
    assert (row.status, row.verdict, row.activities, row.failed, row.outside) == ("open", "pending", 3, 1, 1)
    assert (row.system_id, row.responder_id, row.deciders) == (
        str(world.system.pk),
        str(world.ann.pk),
        [str(world.ines.pk)],
    )
    assert dict(CaseRow.objects.exclude(pk=row.pk).values_list("case", "status")) == {
        str(declined.pk): "declined",
        str(withdrawn.pk): "withdrawn",
    }
    learn(grant, ids[0], "failed")
    overdue(grant)
    assert sweep.run_due("test") == 1
    judge(grant, "complete")
    review(grant, actor(world.kim))
    listed()
    row.refresh_from_db()
    took_part = sorted(str(world.people[name].pk) for name in ("ann", "ines", "kim"))
    assert (row.status, row.verdict, row.failed, row.people) == ("reviewed", "complete", 2, took_part)


def test_counting_stops_and_the_list_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_COUNTED", 4)
    grant = opened(world)
    do(grant, [Did("SELECT 1", outcome="failed"), *[Did(f"SELECT {number}") for number in range(2, 5)]])
    listed()
    row = CaseRow.objects.get()
    assert (row.activities, row.failed, row.cut) == (4, 1, False)
    do(grant, [Did("DROP TABLE t", "schema_change", "failed") for _ in range(3)], session="6741a0.2")
    overdue(grant)
    assert sweep.run_due("test") == 1
    listed()
    row.refresh_from_db()
    assert (row.activities, row.failed, row.outside, row.cut, row.status) == (4, 1, 0, True, "ended")
    said = " ".join(re.sub(r"<[^>]+>", " ", browser_of(world.otto).get("/cases/").content.decode()).split())
    assert "more than 4 of those counted: 1 failed, 0 out of intent" in said


def test_other_entries_of_a_case_are_not_read_for_its_row(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many connections were made, what ended the case is in the row."""
    grant = opened(world)
    for number in range(8):
        do(grant, [], session=f"6741a0.{number}")
    overdue(grant)
    assert sweep.run_due("test") == 1
    telling = Event.objects.filter(case=str(grant.request_id), name__in=TELLING).count()
    monkeypatch.setattr(reading, "MOST_OTHERS", telling)
    listed()
    assert CaseRow.objects.get().status == "ended"


def test_every_case_of_the_log_is_in_the_list(world: World) -> None:
    made_cases.write(world, 60)
    listed()
    told = set(Event.objects.exclude(case="").values_list("case", flat=True))
    assert len(told) == 60
    assert set(CaseRow.objects.values_list("case", flat=True)) == told
    assert CaseListPosition.objects.get().next_index == size()


def test_following_again_changes_nothing(world: World) -> None:
    made_cases.write(world, 8)
    listed()
    before = all_rows()
    assert catch_up() == 0
    assert all_rows() == before
    CaseListPosition.objects.update(next_index=0)
    assert catch_up() == size()
    assert all_rows() == before


def test_small_steps_give_the_same_list_as_one_large_one_and_as_a_rebuild(world: World) -> None:
    made_cases.write(world, 8)
    listed()
    whole = all_rows()
    CaseRow.objects.all().delete()
    CaseListPosition.objects.update(next_index=0)
    while catch_up(limit=7):
        pass
    assert all_rows() == whole
    assert rebuild() == 8
    assert all_rows() == whole


def test_command_rebuilds(world: World, capsys: object) -> None:
    made_cases.write(world, 2)
    listed()
    CaseRow.objects.update(status="open")
    call_command("rebuild_cases")
    assert capsys.readouterr().out == "2 cases in the list.\n"  # type: ignore[attr-defined]
    assert not CaseRow.objects.filter(status="open").exists()


def test_second_follower_leaves_the_first_alone(world: World) -> None:
    made_cases.write(world, 2)
    listed()
    CaseListPosition.objects.update(next_index=0)
    found: list[int] = []

    def beside() -> None:
        found.append(catch_up())
        connection.close()

    with transaction.atomic():
        CaseListPosition.objects.select_for_update().get()
        thread = threading.Thread(target=beside)
        thread.start()
        thread.join(timeout=90)
    assert found == [0]
    assert catch_up() == size()


def test_list_holds_no_personal_value(world: World) -> None:
    grant = opened(world)
    do(grant, [Did("SELECT secret_thing FROM invoices", object="secret_thing")])
    listed()
    kept = " ".join(str(value) for row in all_rows() for value in row.values()).lower()
    personal = [
        value.lower()
        for value in PersonalValue.objects.filter(event__case=str(grant.request_id)).values_list("value", flat=True)
    ]
    assert {world.ann.name.lower(), "secret_thing"} <= set(personal)
    assert [value for value in personal if value in kept and value != grant.login] == []


def test_case_with_a_hundred_words_fits(world: World) -> None:
    request = request_of(world, incident_ref="INC-" + "x" * 70)
    listed()
    assert "inc-xxx" in CaseRow.objects.get(pk=str(request.pk)).words
