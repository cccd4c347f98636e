"""Legal holds against a cut: set before it is proposed, after its approval, between two portions, when the log has said it, or too late."""

from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audit.cases import projection
from audit.cases.models import CaseRow
from audit.log import cutting_rows
from audit.log.checking import StoreSource
from audit.log.cuts import begins_at
from audit.log.examination import examine
from audit.log.heartbeats import beat
from audit.log.keys import load_verifiers
from audit.log.models import Event, PersonalValue, SealedEntry
from audit.log.read import named
from portal.access_requests.models import AccessRequest
from portal.erasing import carrying_cuts, cutting, holding, retention
from portal.erasing.models import Cut, LegalHold
from portal.errors import RefusedByPolicy
from tests.audit.log.logged import sealed
from tests.browsing import browser_of
from tests.portal.erasing import old_log
from tests.portal.erasing.old_log import WHY, Killed, approved, carried_out, killed_in, publish
from tests.worlds import World, actor, request_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("eraser")]
world, old = old_log.world, old_log.old  # fixtures


@pytest.mark.parametrize("held", ["case", "person"])
def test_nothing_under_a_hold_or_of_an_open_case_goes(world: World, old: AccessRequest, held: str) -> None:
    holding.set_hold(by=actor(world.pia), reason="A court case.", **{held: old if held == "case" else world.ann})  # type: ignore[arg-type]
    sealed(0)
    with pytest.raises(RefusedByPolicy) as refused:
        cutting.propose(by=actor(world.pia), minimum=256, reason=WHY)
    assert refused.value.kind == "must be kept"
    assert "The legal hold on" in browser_of(world.otto).get("/retention/").content.decode()


def test_the_page_reads_no_entries_for_holds_and_asks_as_much_for_three_as_for_one(
    world: World, old: AccessRequest
) -> None:
    def asked() -> list[str]:
        with CaptureQueriesContext(connection) as found:
            shown = browser.get("/retention/").content.decode()
        told.append(shown.count("The legal hold on"))
        return [each["sql"] for each in found]

    told: list[int] = []
    browser = browser_of(world.otto)
    browser.get("/retention/")
    holding.set_hold(by=actor(world.pia), reason="A court case.", case=old)
    one = asked()
    for person in (world.ann, world.pia):
        holding.set_hold(by=actor(world.quinn), reason="A court case.", person=person)
    LegalHold.objects.update(from_index=5)
    three = asked()
    assert (len(three), told, [each for each in three if "position(" in each]) == (len(one), [1, 3], [])


def test_a_hold_keeps_from_the_first_entry_that_names_its_person_or_is_of_its_case(
    world: World, old: AccessRequest
) -> None:
    naming = [
        each.sealed.index
        for each in Event.objects.select_related("sealed")
        if str(world.ann.pk).encode() in bytes(each.body)
    ]
    of_case = SealedEntry.objects.filter(event__case=str(old.pk)).order_by("index").values_list("index", flat=True)[0]
    by_person = holding.set_hold(by=actor(world.pia), reason="A court case.", person=world.ann)
    by_case = holding.set_hold(by=actor(world.pia), reason="A court case.", case=old)
    assert (by_person.from_index, by_case.from_index) == (min(naming), of_case)
    assert retention.could_go().minimum == min(naming) // 256 * 256


def test_a_hold_that_is_set_after_the_approval_keeps_it(world: World, old: AccessRequest, tmp_path: Path) -> None:
    approved(world)
    holding.set_hold(by=actor(world.pia), case=old, reason="A court case.")
    cut = carried_out(tmp_path / "log")
    assert (cut.state, "under a legal hold" in cut.trouble, named(["log.cut"])) == ("approved", True, [])
    waits = request_of(world, "ben")
    assert retention.open_cases() == {str(waits.pk)}


@pytest.mark.parametrize("about", ["case", "person"])
def test_a_hold_that_is_set_after_the_log_said_it_keeps_what_is_its(
    world: World, old: AccessRequest, settings: Any, tmp_path: Path, about: str
) -> None:
    approved(world)
    carrying_cuts.run_due()
    sealed(0)
    publish(tmp_path / "log")
    mine = Event.objects.filter(case=str(old.pk), sealed__index__lt=256).count()
    typed = old.reason
    whom: dict[str, Any] = {"case": old} if about == "case" else {"person": world.ann}
    hold = holding.set_hold(by=actor(world.pia), reason="A court case.", **whom)
    assert carried_out(tmp_path / "log").state == "cut"
    old.refresh_from_db()
    (done,) = named(["cut.done"])
    assert (Event.objects.filter(case=str(old.pk), sealed__index__lt=256).count(), old.reason) == (mine, typed)
    assert (done.fields["cases"], mine > 1, int(done.fields["entries"]) > 100, begins_at()) == (0, True, True, 256)
    assert PersonalValue.objects.filter(event__case=str(old.pk), field="reason").exists()
    report = examine(load_verifiers(settings.PORTAL_LOG_PUBLIC_KEY), published=StoreSource(str(tmp_path / "log")))
    assert report.sentences() == []
    projection.catch_up()
    assert (hold.state, CaseRow.objects.count()) == ("holds", 1)


def test_a_hold_that_is_set_before_the_bundles_go_keeps_them_and_the_pages_say_so(
    world: World, old: AccessRequest, tmp_path: Path
) -> None:
    approved(world)
    carrying_cuts.run_due()
    sealed(0)
    hold = holding.set_hold(by=actor(world.pia), case=old, reason="A court case.")
    assert carried_out(tmp_path / "log").state == "cut"
    assert (tmp_path / "log/tile/entries/000").exists()
    browser = browser_of(world.otto)
    assert (
        "the entries before entry 256 were cut under retention"
        in browser.get(reverse("hold_page", args=[hold.pk])).content.decode()
    )
    for said, shown in (
        ({"minimum": 0, "kept": 0, "trouble": "It is under lock."}, "Its bundles are still published"),
        ({"minimum": 256, "kept": 1, "trouble": ""}, "1 published bundle of them stays until the legal hold is lifted"),
        ({"minimum": 256, "kept": 0, "trouble": ""}, "Their published bundles are gone"),
    ):
        beat("sealer", {"cut": said})
        assert shown in browser.get("/retention/").content.decode()
    holding.ask_lift(by=actor(world.pia), hold=hold, reason="It is over.")
    holding.lift(by=actor(world.quinn), hold=hold)
    sealed(0)
    publish(tmp_path / "log")
    assert not (tmp_path / "log/tile/entries/000").exists()


def test_a_hold_on_what_is_gone_says_so(world: World, old: AccessRequest, tmp_path: Path) -> None:
    approved(world)
    assert carried_out(tmp_path / "log").state == "cut"
    hold = holding.set_hold(by=actor(world.pia), case=old, reason="A court case.")
    shown = browser_of(world.otto).get(reverse("hold_page", args=[hold.pk])).content.decode()
    assert "a hold brings nothing back" in shown


def test_a_hold_between_two_portions_keeps_what_is_left_and_no_case_is_half_there(
    world: World, old: AccessRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cutting_rows, "PORTION", 20)
    approved(world)
    carrying_cuts.run_due()
    sealed(0)
    publish(tmp_path / "log")
    whole = Event.objects.filter(case=str(old.pk)).count()
    first = int(
        SealedEntry.objects.filter(event__case=str(old.pk)).order_by("index").values_list("index", flat=True)[0]
    )
    with monkeypatch.context() as killing:
        killing.setattr(carrying_cuts, "erasing", killed_in(2, committed=True))
        with pytest.raises(Killed):
            carrying_cuts.run_due()
    left = Event.objects.filter(case=str(old.pk)).count()
    assert (left in (0, whole), first) == (True, first)
    hold = holding.set_hold(by=actor(world.pia), case=old, reason="A court case.")
    assert carried_out(tmp_path / "log").state == "cut"
    assert (Event.objects.filter(case=str(old.pk)).count(), hold.state) == (left, "holds")


@pytest.mark.usefixtures("old")
def test_it_is_done_only_when_nothing_is_left(
    world: World, old: AccessRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    approved(world)
    carrying_cuts.run_due()
    sealed(0)
    publish(tmp_path / "log")
    hold = holding.set_hold(by=actor(world.pia), case=old, reason="A court case.")

    def lifted(cut: Cut) -> None:
        remove(cut)
        LegalHold.objects.filter(pk=hold.pk).update(
            state="lifted",
            lift_asked_by=world.pia,
            lift_asked_at=hold.set_at,
            lifted_by=world.quinn,
            lifted_at=hold.set_at,
        )

    remove = carrying_cuts.remove
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(carrying_cuts, "remove", lifted)
        carrying_cuts.run_due()
    cut = Cut.objects.get()
    assert (cut.state, "was lifted meanwhile" in cut.trouble, named(["cut.done"])) == ("cutting", True, [])
    assert Event.objects.filter(case=str(old.pk)).exists()
    assert carried_out(tmp_path / "log").state == "cut"
    assert not Event.objects.filter(case=str(old.pk)).exists()
