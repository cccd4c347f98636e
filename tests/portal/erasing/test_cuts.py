"""Cutting old entries: two administrators, the log first, and then pages, lists, checks and packs of a log that begins later."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connection

from audit.cases import projection
from audit.cases.models import CaseRow
from audit.events.retention import CLASSES, DAY_MS, class_of, read_terms
from audit.log import cutting_rows
from audit.log.append import Entry, append_many, clock, process
from audit.log.checking import StoreSource
from audit.log.cuts import begins_at
from audit.log.examination import examine
from audit.log.keys import load_verifiers
from audit.log.models import PersonalValue, SealedEntry, Tile
from audit.log.read import named
from audit.log.recovery import recover
from audit.log.stores.directory import DirectoryStore
from audit.packs.position import NoPosition, at_size
from portal.access_requests.actions import withdraw
from portal.access_requests.models import AccessRequest
from portal.clock import moment
from portal.erasing import carrying_cuts, cutting, cutting_again
from portal.erasing.models import Cut
from portal.erasing.places import says_cut
from portal.errors import NotAllowed, RefusedByPolicy
from portal.notifications.models import Alert
from tests.audit.log.cut_log import unjudged
from tests.audit.log.logged import doctored, sealed
from tests.audit.log.test_recovery import set_back
from tests.browsing import browser_of
from tests.factories import broken_log
from tests.portal.erasing import old_log
from tests.portal.erasing.old_log import (
    THEN,
    TICKET,
    TYPED,
    WHY,
    Killed,
    approved,
    below,
    carried_out,
    killed_in,
    looked,
    publish,
)
from tests.portal.erasing.test_everywhere import places_of
from tests.worlds import World, actor, request_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("eraser")]
world, old = old_log.world, old_log.old  # fixtures


def test_two_cut_and_everything_copes_with_a_log_that_begins_later(
    world: World, old: AccessRequest, settings: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "log"
    cut = approved(world)
    assert {"portal_accessrequest.reason", "portal_accessrequest.incident_ref", "portal_alert.facts"} <= set(
        places_of(TYPED, TICKET)
    )
    carrying_cuts.run_due()
    assert ((folder / "tile/entries/000").exists(), begins_at(), carrying_cuts.run_due()) == (
        True,
        0,
        1,
    )  # not sealed yet
    assert carried_out(folder).state == "cut"
    projection.catch_up()
    (said,), (done,) = named(["log.cut"]), named(["cut.done"])
    assert (said.fields["minimum_index"], said.fields["asked_by"], said.fields["approved_by"], said.personal["reason"]) == (
        256, str(world.pia.pk), str(world.quinn.pk), WHY,
    )  # fmt: skip
    assert (said.index or 0) < (done.index or 0)
    assert (done.fields["cases"], begins_at(), (folder / "tile/entries/000").exists()) == (1, 256, False)
    report = examine(load_verifiers(settings.PORTAL_LOG_PUBLIC_KEY), published=StoreSource(str(folder)))
    assert (report.sentences(), report.whole_from) == ([], 256)
    old.refresh_from_db()
    says = f"(cut on {datetime.now(UTC):%-d %b %Y} under retention)"
    assert (old.reason, CaseRow.objects.count(), places_of(TYPED, TICKET)) == (says, 0, [])
    told = Alert.objects.filter(case=str(old.pk), recipient=world.ines)
    assert [each.facts for each in told] == [{"cut": says}] * len(told) != []
    browser = browser_of(world.otto)
    shown = browser.get(f"/cases/{old.pk}/")
    assert (shown.status_code, "was cut on" in shown.content.decode()) == (410, True)
    assert browser.get("/log/5/").status_code == 410
    assert "Begins with" in browser.get("/log/").content.decode()
    assert [
        browser.get(path).status_code
        for path in (f"/requests/{old.pk}/", "/cases/", "/retention/", f"/log/{said.index}/")
    ] == [200] * 4
    with pytest.raises(NoPosition, match="cut under retention"):
        at_size(min(each for each in _sizes() if each <= 256))
    assert says in browser_of(world.ines).get("/alerts/").content.decode()
    assert cut.pk == Cut.objects.get().pk


def test_a_second_cut_that_breaks_off_counts_what_is_new_and_keeps_the_date_of_the_first(
    world: World, old: AccessRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    later, days = THEN + DAY_MS, [datetime(2020, 2, 3, tzinfo=UTC), datetime.now(UTC)]
    with clock(lambda: later):
        second = request_of(world, "ben")
        withdraw(by=actor(world.ben), request=second)
        looked(300)
    AccessRequest.objects.filter(pk=second.pk).update(requested_at=datetime.fromtimestamp(later / 1000, UTC))
    approved(world)
    held = [below(256)]
    first = carried_out(tmp_path / "log")
    held.append(below(256))
    Cut.objects.filter(pk=first.pk).update(closed_at=days[0])
    AccessRequest.objects.filter(pk=old.pk).update(reason=says_cut(days[0]))
    approved(world, 512)
    held.append(below(512))
    with monkeypatch.context() as broken:
        broken.setattr(carrying_cuts, "clear_cases", lambda *_, **__: 1 / 0)
        carried_out(tmp_path / "log")
    assert Cut.objects.latest("proposed_at").state == "cutting"
    assert carried_out(tmp_path / "log").state == "cut"
    held.append(below(512))
    assert [each.fields["entries"] for each in named(["cut.done"])] == [held[0] - held[1], held[2] - held[3]]
    assert [each.fields["cases"] for each in named(["cut.done"])] == [1, 1]
    assert [AccessRequest.objects.get(pk=each.pk).reason for each in (old, second)] == list(map(says_cut, days))
    said = [each.fields for each in named(["log.cut"])]
    assert [(each["from_at"], each["to_at"], each["keep_until"] - each["to_at"]) for each in said] == [
        (THEN, THEN, 2555 * DAY_MS), (THEN, later, 2555 * DAY_MS),
    ]  # fmt: skip


@pytest.mark.parametrize("committed", [False, True])
@pytest.mark.parametrize("portion", [1, 2, 3])
@pytest.mark.usefixtures("old")
def test_a_cut_that_is_killed_in_a_portion_goes_on_and_its_counts_add_up(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, portion: int, committed: bool
) -> None:
    monkeypatch.setattr(cutting_rows, "PORTION", 20)
    approved(world)
    carrying_cuts.run_due()
    sealed(0)
    publish(tmp_path / "log")
    before, values = below(256), PersonalValue.objects.count()
    with monkeypatch.context() as killing:
        killing.setattr(
            carrying_cuts, "erasing", killed_in(portion + 1, committed=committed)
        )  # the first looks at the times
        with pytest.raises(Killed):
            carrying_cuts.run_due()
    gone = [before - below(256), values - PersonalValue.objects.count()]
    removed = [each.fields for each in named(["cut.portion_removed"])]
    assert (len(removed), named(["cut.done"])) == (portion - 1 + committed, [])
    assert [sum(each[name] for each in removed) for name in ("entries", "values")] == gone
    assert {each["entries"] <= 20 for each in removed} <= {True}
    assert carried_out(tmp_path / "log").state == "cut"
    (done,) = named(["cut.done"])
    written = PersonalValue.objects.filter(event__name__in=["cut.done", "cut.portion_removed"]).count()
    assert (done.fields["entries"], done.fields["values"]) == (
        before - below(256), values - PersonalValue.objects.count() + written,
    )  # fmt: skip
    assert (begins_at(), done.fields["stayed"]) == (256, below(256))


def _sizes() -> list[int]:
    from audit.log.models import StoredCheckpoint

    return list(StoredCheckpoint.objects.values_list("size", flat=True))


@pytest.mark.parametrize("row", ["approved", "proposed", "gone", "another", "never said"])
@pytest.mark.usefixtures("old")
def test_a_cut_that_a_database_set_back_has_lost_is_carried_out_again(world: World, tmp_path: Path, row: str) -> None:
    folder = tmp_path / "log"
    cut = approved(world)
    sealed(0)
    size, tiles = SealedEntry.objects.count(), list(Tile.objects.values_list("level", "index", "hashes"))
    carrying_cuts.run_due()
    sealed(0)
    publish(folder)
    set_back(size)
    doctored("DELETE FROM audit_tile")
    for each in tiles:
        doctored("INSERT INTO audit_tile (level, index, hashes) VALUES (%s, %s, %s)", *each)
    Cut.objects.update(state="approved", said_at=None)
    if row == "proposed":
        Cut.objects.update(state="proposed", approved_at=None, approved_by=None)
    elif row in ("gone", "another", "never said"):
        Cut.objects.all().delete()
    if row in ("another", "never said"):
        cutting.propose(by=actor(world.pia), minimum=256, reason=WHY)
    if row == "never said":
        then = moment(THEN)
        Cut.objects.update(state="cutting", said_at=then, approved_at=then, approved_by=world.quinn)
    keys = load_verifiers(settings.PORTAL_LOG_PUBLIC_KEY)
    assert recover(connection, StoreSource(str(folder)), keys) is not None
    assert list(Cut.objects.exclude(state="kept").values_list("pk", "state", "minimum_index")) == [
        (cut.pk, "cutting", 256)
    ]
    sealed(0)
    carried_out(folder)
    assert (Cut.objects.get(pk=cut.pk).state, begins_at(), len(named(["cut.done"]))) == ("cut", 256, 1)
    assert examine(keys, published=StoreSource(str(folder))).sentences() == []


@pytest.mark.usefixtures("old")
def test_a_cut_that_contradicts_itself_is_not_resumed(world: World) -> None:
    from django.db import transaction

    sound = {"cut_id": str(uuid4()), "minimum_index": 256, "from_index": 0, "from_at": THEN, "to_at": THEN, "keep_until": THEN} | {
        "asked_by": str(world.pia.pk), "approved_by": str(world.quinn.pk), "reason": WHY,
    }  # fmt: skip
    for wrong in ({"approved_by": "x"}, {"asked_by": str(uuid4())}, {"minimum_index": 2**40}, {"cut_id": "x"}):
        with transaction.atomic():
            append_many([Entry("log.cut", process("test"), sound | wrong)])
    with unjudged():
        sealed(0)
    assert (cutting_again.resume(0), Cut.objects.count()) == (0, 0)


@pytest.mark.usefixtures("old")
def test_who_may_what_is_whole_and_that_no_cut_is_without_its_event(world: World) -> None:
    for minimum, kind in ((100, "not whole"), (0, "not whole"), (512, "must be kept")):
        with pytest.raises(RefusedByPolicy) as refused:
            cutting.propose(by=actor(world.pia), minimum=minimum, reason=WHY)
        assert refused.value.kind == kind
    with pytest.raises(NotAllowed):
        cutting.propose(by=actor(world.mo), minimum=256, reason=WHY)
    with broken_log(), pytest.raises(Exception, match="log"):
        cutting.propose(by=actor(world.pia), minimum=256, reason=WHY)
    assert not Cut.objects.exists()
    cut = cutting.propose(by=actor(world.pia), minimum=256, reason=WHY)
    for who in (world.pia, world.otto, world.mo):
        with pytest.raises(NotAllowed):
            cutting.approve(by=actor(who), cut=cut)
    with pytest.raises(RefusedByPolicy):
        cutting.propose(by=actor(world.quinn), minimum=256, reason=WHY)
    assert cutting.decline(by=actor(world.pia), cut=cut).state == "kept"


@pytest.mark.usefixtures("old")
def test_what_the_store_keeps_under_lock_is_refused_in_words(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    approved(world)
    until = datetime(2040, 1, 2, tzinfo=UTC)
    monkeypatch.setattr(DirectoryStore, "locked_until", lambda *_: until)
    cut = carried_out(tmp_path / "log")
    assert (cut.state, named(["log.cut"])) == ("approved", [])
    assert "under Object Lock until 2 Jan 2040" in cut.trouble


def test_terms_are_only_lengthened() -> None:
    assert read_terms("entries=3650, signins=800")["entries"] == 3650
    for said in ("entries=2554", "signins=1", "fancy=9000", "entries"):
        with pytest.raises(ValueError, match=r"days at least|no class"):
            read_terms(said)
    assert {each.days for each in CLASSES.values()} == {2555, 400, None}
    assert class_of("never.heard_of").days is None


def test_every_family_of_events_has_a_class() -> None:
    from audit.events import catalogue
    from audit.events.retention import FAMILIES, OTHERWISE

    assert {name.partition(".")[0] for name in catalogue} == FAMILIES.keys() | {
        name.partition(".")[0] for name in OTHERWISE
    }
    assert OTHERWISE.keys() <= catalogue.keys()
