"""Cutting old entries: two administrators, the log first, and then pages, lists, checks and packs of a log that begins later."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audit.cases import projection
from audit.cases.models import CaseRow
from audit.events.retention import CLASSES, DAY_MS, class_of, read_terms
from audit.log import cutting_rows
from audit.log.append import Entry, append_many, clock, process
from audit.log.checking import StoreSource
from audit.log.cuts import begins_at
from audit.log.cutting import cut_published
from audit.log.erasing import erasing as carrying_cuts_erasing
from audit.log.examination import examine
from audit.log.heartbeats import beat
from audit.log.keys import load_verifiers
from audit.log.models import Event, PersonalValue, SealedEntry, Tile
from audit.log.publishing import publish_once
from audit.log.read import named
from audit.log.recovery import recover
from audit.log.stores.directory import DirectoryStore
from audit.packs.position import NoPosition, at_size
from portal.access_requests.actions import withdraw
from portal.access_requests.models import AccessRequest
from portal.eligibility.models import RoleAssignment
from portal.erasing import carrying_cuts, cutting, cutting_again, holding, retention
from portal.erasing.models import Cut, LegalHold
from portal.erasing.places import says_cut
from portal.errors import NotAllowed, RefusedByPolicy
from portal.notifications.models import Alert
from tests.audit.log.cut_log import unjudged
from tests.audit.log.logged import doctored, sealed
from tests.audit.log.test_recovery import set_back
from tests.browsing import browser_of
from tests.factories import broken_log
from tests.portal.erasing.test_everywhere import places_of
from tests.worlds import World, actor, make_world, request_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("eraser")]
TYPED, TICKET = "The mandarin orange queue is stuck; let me look.", "Report of Ursula Vogelweide"
WHY = "They have been kept for seven years."
THEN = int(time.time() * 1000) - 3000 * DAY_MS


@pytest.fixture
def world() -> World:
    """Made eight years ago: row changes of configuration are entries too."""
    with clock(lambda: THEN):
        made = make_world()
    RoleAssignment.objects.filter(person__in=[made.pia, made.quinn, made.otto]).update(system=None)
    return made


def publish(folder: Path) -> None:
    """What the sealer's publisher does."""
    from audit.log.checkpoints import public_keys

    store = DirectoryStore(folder)
    head = publish_once(connection, store, public_keys())
    assert head is not None
    with connection.cursor() as cursor:
        cut_published(cursor, store, head.checkpoint.size)


def looked(count: int) -> None:
    from django.db import transaction

    with transaction.atomic():
        append_many([Entry("page.viewed", process("test"), {"person_id": "p", "page": "a page", "quarter": 0})] * count)
    sealed(0)


@pytest.fixture
def old(world: World, settings: Any, tmp_path: Path) -> AccessRequest:
    """Someone asked eight years ago and withdrew; 300 looks since."""
    settings.PORTAL_LOG_STORE = str(tmp_path / "log")
    with clock(lambda: THEN):
        asked = request_of(world, reason=TYPED, incident_ref=TICKET)
        withdraw(by=actor(world.ann), request=asked)
        looked(1)
        looked(299)
    AccessRequest.objects.filter(pk=asked.pk).update(requested_at=datetime.fromtimestamp(THEN / 1000, UTC))
    publish(tmp_path / "log")
    projection.rebuild()
    return asked


def carried_out(folder: Path) -> Cut:
    """The eraser's job and the sealer in turn."""
    for _ in range(2):
        carrying_cuts.run_due()
        sealed(0)
        publish(folder)
    return Cut.objects.latest("proposed_at")


def approved(world: World, minimum: int = 256) -> Cut:
    cut = cutting.propose(by=actor(world.pia), minimum=minimum, reason=WHY)
    sealed(0)
    return cutting.approve(by=actor(world.quinn), cut=cut)


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


def below(minimum: int) -> int:
    """Entries that the database holds below an index."""
    with connection.cursor() as cursor:
        cursor.execute('SELECT count(*) FROM audit_sealed_entry WHERE "index" < %s', [minimum])
        return int(cursor.fetchone()[0])


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


class Killed(BaseException):
    """What stands for the end of the process."""


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


def killed_in(turn: int, *, committed: bool) -> Any:
    """``erasing``, of which the given turn ends before its commit, or right after it."""
    turns = iter(range(1, 1000))

    @contextmanager
    def erasing() -> Iterator[str]:
        mine = next(turns)
        with carrying_cuts_erasing() as alias:
            yield alias
            if mine == turn and not committed:
                raise Killed
        if mine == turn:
            raise Killed

    return erasing


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


def _sizes() -> list[int]:
    from audit.log.models import StoredCheckpoint

    return list(StoredCheckpoint.objects.values_list("size", flat=True))


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


@pytest.mark.parametrize("row", ["approved", "proposed", "gone", "another"])
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
    elif row in ("gone", "another"):
        Cut.objects.all().delete()
    if row == "another":
        cutting.propose(by=actor(world.pia), minimum=256, reason=WHY)
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
