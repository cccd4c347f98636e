"""Packs as work: asked for, made once whoever comes, failed with a sentence, taken away on record."""

import hashlib
import threading
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from audit.log.append import Actor, clock, now_ms
from audit.log.read import named
from audit.packs import evidence, jobs, paper
from audit.packs.actions import download_pack, request_pack
from audit.packs.errors import NotAllowed, NotAsAsked, NotThere, StepUpNeeded
from audit.packs.keeping import keep, only_one
from audit.packs.models import Pack
from audit.packs.render import RenderFailed
from audit.packs.tasks import make
from tests.audit.facts.stream import at
from tests.audit.log.logged import doctored
from tests.audit.packs import told
from tests.worlds import World, actor, make_world

pytestmark = pytest.mark.django_db
QUICK = "<html><body><p>A pack</p></body></html>"


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """One page in place of fifty; all else is as it is."""
    monkeypatch.setattr("audit.packs.paper.filled", lambda *_, **__: QUICK)


def ask(world: World, by: Actor | None = None, **changes: Any) -> Pack:
    said: dict[str, Any] = {
        "start": at("07-01"), "end": at("10-01"), "systems": [str(world.system.pk)], "frameworks": ["soc2"],
        "purpose": "Yearly examination of controls",
    }  # fmt: skip
    return request_pack(by=by or actor(world.otto), **{**said, **changes})


def test_pack_is_asked_for_made_and_recorded(world: World, quick: None) -> None:
    told.quarter().write()
    pack = ask(world)
    assert (pack.state, jobs.run_due(), jobs.run_due()) == ("requested", 1, 0)
    pack.refresh_from_db()
    assert pack.state == "made"
    (event,) = named(("pack.made",))
    assert event.fields["log_size"] == pack.log_size
    assert event.fields["pdf_sha256"] == hashlib.sha256(pack.file.read_bytes()).hexdigest() == pack.sha256
    assert event.fields["results"] == pack.results
    assert {each["name"] for each in event.fields["populations"]} == set(pack.results)
    assert event.fields["unsigned_sha256"] != event.fields["pdf_sha256"]


def test_pack_keeps_for_its_page_how_much_of_the_log_did_not_verify(world: World, quick: None) -> None:
    told.quarter().write()
    sound = ask(world)
    jobs.run_due()
    doctored(
        "UPDATE audit_event SET body = body || ' '::bytea WHERE name = 'request.made' AND \"case\" = %s",
        told.ident("C1"),
    )
    damaged = ask(world)
    jobs.run_due()
    assert [Pack.objects.get(pk=each.pk).counts["unproved"] for each in (sound, damaged)] == [0, 1]


def test_task_runs_twice_and_makes_one(world: World, quick: None) -> None:
    told.quarter().write()
    pack = ask(world)
    make(str(pack.pk))
    make(str(pack.pk))
    assert len(named(("pack.made",))) == 1


def test_pack_that_another_process_makes_is_left_alone(world: World) -> None:
    pack, outcome = ask(world), []

    def other() -> None:
        with only_one(f"pack {pack.pk}") as mine:
            outcome.append(mine)
            assert mine
            done.wait(90)
        connection.close()

    done = threading.Event()
    thread = threading.Thread(target=other)
    thread.start()
    try:
        while not outcome:
            pass
        assert jobs.make(pack.pk) is False
    finally:
        done.set()
        thread.join()
    pack.refresh_from_db()
    assert pack.state == "requested"


def test_evidence_is_gone_from_memory_before_the_pdf_is_drawn(
    world: World, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    told.quarter().write()
    pack, seen = ask(world), []
    alive: list[bool] = []
    gather, draw = evidence.gathered, paper.drawn

    def watched(*given: Any) -> Any:
        found = gather(*given)
        seen.append(weakref.ref(found))
        return found

    def drawing(laid: Any) -> Any:
        alive.extend(each() is not None for each in seen)
        return draw(laid)

    monkeypatch.setattr(jobs, "gathered", watched)
    monkeypatch.setattr(jobs, "drawn", drawing)
    assert (jobs.make(pack.pk), alive) == (True, [False])


def test_position_stays_when_making_is_begun_again(world: World, quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    told.quarter().write()
    pack = ask(world)

    class Crash(BaseException):
        """As a process that is killed."""

    def crash(*_: Any, **__: Any) -> Any:
        raise Crash

    with monkeypatch.context() as patched:
        patched.setattr(jobs, "drawn", crash)
        with pytest.raises(Crash):
            jobs.run_due()
    pack.refresh_from_db()
    first = pack.log_size
    assert (pack.state, first is None) == ("making", False)
    told.seal()  # the request itself is sealed now, and the log longer
    assert jobs.run_due() == 1
    pack.refresh_from_db()
    assert pack.log_size == first


def test_pack_that_never_ends_is_given_up(world: World) -> None:
    told.quarter().write()
    pack = ask(world)
    Pack.objects.update(attempts=jobs.MOST_ATTEMPTS)
    keep(pack.file, b"of an attempt that broke off")
    assert jobs.run_due() == 0
    pack.refresh_from_db()
    assert (pack.state, pack.file.exists()) == ("failed", False)


def test_failure_is_on_record_with_its_sentence(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    told.quarter().write()
    pack = ask(world)

    def broken(*_: Any, **__: Any) -> Any:
        raise RenderFailed("too_large", "The PDF needs more than 3072 MB of memory.")

    monkeypatch.setattr(jobs, "drawn", broken)
    assert (jobs.run_due(), jobs.run_due()) == (0, 0)
    pack.refresh_from_db()
    assert (pack.state, pack.trouble) == ("failed", "The PDF needs more than 3072 MB of memory.")
    (event,) = named(("pack.failed",))
    assert (event.fields["code"], event.fields["sentence"]) == ("too_large", pack.trouble)


DISK = "A file could not be read or written where packs are made: no space left on device."
NO_ROOM = OSError(28, "No space left on device", "/srv/packs/x.pdf")
UNFORESEEN = [
    ("keep", NO_ROOM, ("disk", DISK)),
    ("signing_key", NO_ROOM, ("disk", DISK)),
    ("drawn", RenderFailed("failed", "The PDF could not be drawn."), ("failed", "The PDF could not be drawn.")),
    ("gathered", ValueError("SELECT secret"), ("ValueError", "ValueError: the portal's own log says where.")),
    ("scope_of", MemoryError(), ("MemoryError", "MemoryError: the portal's own log says where.")),
]


@pytest.mark.parametrize(("step", "error", "told_of"), UNFORESEEN)
def test_one_pack_that_cannot_be_made_holds_up_no_other_and_is_tried_again(
    world: World,
    quick: None,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    error: Exception,
    told_of: tuple[str, str],
) -> None:
    told.quarter().write()
    bad, good = ask(world), ask(world)
    works, tries = getattr(jobs, step), iter([error])

    def fails_at_first(*args: Any, **more: Any) -> Any:
        if trouble := next(tries, None):
            raise trouble
        return works(*args, **more)

    monkeypatch.setattr(jobs, step, fails_at_first)
    at = now_ms()
    with clock(lambda: at):
        assert jobs.run_due() == 1
    bad.refresh_from_db()
    good.refresh_from_db()
    assert (bad.state, bad.trouble, good.state, good.trouble) == ("making", told_of[1], "made", "")
    assert [(each.fields["code"], each.fields["sentence"]) for each in named(("pack.put_off",))] == [told_of]
    with clock(lambda: at + 29_999):
        assert (jobs.run_due(), jobs.make(bad.pk)) == (0, False)  # put off
    with clock(lambda: at + 30_000):
        assert jobs.run_due() == 1
    bad.refresh_from_db()
    assert (bad.state, bad.trouble, bad.next_try_at) == ("made", "", None)
    assert named(("pack.failed",)) == []


def test_pack_that_no_disk_takes_is_given_up_after_the_last_try(
    world: World, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    told.quarter().write()
    pack = ask(world)

    def kept_and_failed(path: Any, data: bytes) -> None:
        keep(path, data)
        raise OSError(5, "Input/output error", str(path))

    monkeypatch.setattr(jobs, "keep", kept_and_failed)
    pauses = []
    for _ in range(jobs.MOST_ATTEMPTS):
        assert jobs.run_due() == 0
        pack.refresh_from_db()
        assert not pack.file.exists()
        pauses.append(pack.next_try_at is not None)
        Pack.objects.filter(pk=pack.pk).exclude(next_try_at=None).update(next_try_at=jobs._now())
    assert (pauses, pack.state) == ([True] * (jobs.MOST_ATTEMPTS - 1) + [False], "failed")
    assert (len(named(("pack.put_off",))), len(named(("pack.failed",)))) == (jobs.MOST_ATTEMPTS - 1, 1)
    assert pack.trouble == DISK.replace("no space left on device", "input/output error")


def test_file_that_cannot_be_removed_leaves_the_pack_to_be_tried_again(world: World) -> None:
    told.quarter().write()
    pack = ask(world)
    Pack.objects.update(attempts=jobs.MOST_ATTEMPTS)
    pack.file.mkdir(parents=True)  # which no unlink removes
    try:
        assert jobs.run_due() == 0
        pack.refresh_from_db()
        assert (pack.state, pack.next_try_at is not None) == ("requested", True)
        assert [each.fields["code"] for each in named(("pack.put_off",))] == ["disk"]
    finally:
        pack.file.rmdir()


def test_progress_is_told_stage_by_stage(world: World, quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    told.quarter().write()
    pack, stages = ask(world), []
    real = jobs.Progress.__call__

    def watched(self: jobs.Progress, stage: str, done: int, total: int) -> None:
        real(self, stage, done, total)
        row = Pack.objects.get(pk=pack.pk)
        stages.append((row.stage, row.total))

    monkeypatch.setattr(jobs.Progress, "__call__", watched)
    assert jobs.run_due() == 1
    seen = list(dict.fromkeys(stage for stage, _ in stages))
    assert seen == ["The log is verified", "Control tests run", "Cases are put together", "The PDF is drawn"] or seen == [
        "The log is verified", "Control tests run", "The PDF is drawn",
    ]  # fmt: skip
    assert ("Control tests run", 47) in stages


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"start": at("10-01"), "end": at("07-01")}, "period"),
        ({"start": at("01-01") + 10 * 365 * 86_400_000, "end": at("01-01") + 11 * 365 * 86_400_000}, "period"),
        ({"frameworks": ["sox"]}, "frameworks"),
        ({"purpose": "because"}, "purpose"),
        ({"purpose": "x" * 501}, "purpose"),
    ],
)
def test_what_cannot_be_made_is_refused_on_record(world: World, changes: dict[str, Any], kind: str) -> None:
    with pytest.raises(NotAsAsked):
        ask(world, **changes)
    assert [event.fields["kind"] for event in named(("pack.act_refused",))] == [kind]
    assert not Pack.objects.exists()


@pytest.mark.parametrize("who", ["mo", "kim", "pia", "ann", "zoe"])
def test_only_auditors_ask(world: World, who: str) -> None:
    with pytest.raises(NotAllowed):
        ask(world, actor(world.people[who]))
    assert [event.fields["code"] for event in named(("pack.act_refused",))] == ["not_allowed"]


@pytest.mark.parametrize("old", [{"method": None}, {"age_s": 16 * 60}, {"method": "recovery"}])
def test_second_factor_must_be_fresh_and_strong(world: World, old: dict[str, Any]) -> None:
    with pytest.raises(StepUpNeeded):
        ask(world, actor(world.otto, **old))
    pack = ask(world)
    with pytest.raises(StepUpNeeded):
        download_pack(by=actor(world.otto, **old), pack=pack, purpose="to read")


@pytest.fixture
def made(world: World) -> Iterator[Pack]:
    told.quarter().write()
    pack = ask(world)
    pack.file.parent.mkdir(parents=True, exist_ok=True)
    pack.file.write_bytes(b"%PDF a pack")
    Pack.objects.filter(pk=pack.pk).update(made_at=pack.asked_at, sha256=hashlib.sha256(b"%PDF a pack").hexdigest())
    pack.refresh_from_db()
    yield pack
    pack.file.unlink(missing_ok=True)


def test_download_is_on_record_and_claims_no_link_and_no_redaction(world: World, made: Pack) -> None:
    assert download_pack(by=actor(world.otto), pack=made, purpose="The yearly examination") == b"%PDF a pack"
    (event,) = named(("pack.downloaded",))
    assert event.fields == {
        "pack_id": str(made.pk), "person_id": str(world.otto.pk), "in_role_and_scope": 1, "purpose_given": 1,
        "redaction_profile": "not redacted", "required_profile": "none set",
    }  # fmt: skip


def test_file_that_was_changed_is_not_handed_out(world: World, made: Pack) -> None:
    made.file.write_bytes(b"%PDF another")
    with pytest.raises(NotThere, match="not the one that was made"):
        download_pack(by=actor(world.otto), pack=made, purpose="to read it")
    assert named(("pack.downloaded",)) == []


def test_pack_in_the_making_is_not_handed_out(world: World) -> None:
    with pytest.raises(NotThere, match="in the making"):
        download_pack(by=actor(world.otto), pack=ask(world), purpose="to read it")
