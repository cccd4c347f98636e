"""The paper that writes itself: made once for each occasion, sent to those whom it concerns, honest about what is missing."""

import hashlib
import io
import time
import uuid
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from audit.log.append import append, clock, process
from audit.log.read import LoggedEvent, named, size
from audit.packs import dossier_paper, dossiers, removing, verdicts
from audit.packs.models import Dossier
from audit.packs.render import RenderFailed
from portal.notifications import dossiers as mails
from portal.notifications import following
from portal.notifications.models import Alert
from tests.audit.facts import story
from tests.audit.facts.stream import HOUR, MINUTE
from tests.audit.log.logged import doctored
from tests.audit.packs import told
from tests.audit.packs.pdfs import files_of, words_of
from tests.factories import person

pytestmark = pytest.mark.django_db


def now() -> int:
    return time.time_ns() // 1_000_000


def use(*, ended_ago: int = 2 * HOUR, says: str | None = "complete", ranges: list[str] | None = None) -> None:
    """One use with approval, ended some time ago (ms); judged, or not yet."""
    log, end = told.organisation(), now() - ended_ago
    start = end - 51 * MINUTE
    story.ask(log, "C1", start)
    story.approve(log, "C1", start + 5 * MINUTE)
    story.open_it(log, "C1", start + 6 * MINUTE)
    story.session(log, "C1", start + 10 * MINUTE, start + 40 * MINUTE)
    story.act(
        log, "C1", 2, start + 12 * MINUTE, statement="ALTER TABLE invoices ADD COLUMN note text", statement_length=41
    )
    story.act(log, "C1", 5, start + 13 * MINUTE, "data_read", statement="SELECT * FROM customers", outcome="denied")
    story.end_it(log, "C1", start + 50 * MINUTE)
    if says:
        log.say(
            "completeness.judged", end + 1, story.JUDGE, case="C1", window_id="W1", source_id="S-billing", system_id="billing",
            kind="grant", grant_id="G-C1", from_at=start, to_at=end, verdict=says, ranges=ranges or [], reasons=["Because."],
        )  # fmt: skip
    log.write()


def words(dossier: Dossier, folder: Path) -> str:
    return words_of(dossier.file.read_bytes(), folder)


def test_dossier_of_an_ended_use_says_who_why_and_every_statement(tmp_path: Path) -> None:
    use()
    assert dossiers.make_due() == 1
    dossier = Dossier.objects.get()
    assert dossier.begun_at is not None
    assert dossier.made_at is not None
    assert dossier.begun_at < dossier.made_at  # drawing it takes a while
    text = words(dossier, tmp_path)
    for each in (
        "ann",
        "Disk full",
        "ines",
        "ALTER TABLE invoices ADD COLUMN note text",
        "SELECT * FROM customers",
        "denied",
        "Complete",
    ):
        assert each in text
    assert text.index("SELECT * FROM customers") < text.index("ALTER TABLE invoices")  # what was denied comes first
    assert hashlib.sha256(dossier.file.read_bytes()).hexdigest() == dossier.sha256
    assert len(files_of(dossier.file.read_bytes())["activities.jsonl"].splitlines()) == 2


def test_dossier_that_holds_not_all_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dossier_paper, "MOST_KEPT", 1)
    use()
    dossiers.make_due()
    dossier = Dossier.objects.get()
    text = words(dossier, tmp_path)
    assert "This dossier is cut. The log holds 2 actions of this case; the first 1 are here" in text
    assert ("ALTER TABLE invoices ADD COLUMN note text" in text, "SELECT * FROM customers" in text) == (True, False)
    assert len(files_of(dossier.file.read_bytes())["activities.jsonl"].splitlines()) == 1
    assert "The log holds more sessions of this case than the 1 that are here" in text
    assert dossier.verdict == "complete"  # what ended and judged the use is told whatever was done


def test_dossier_is_signed(tmp_path: Path) -> None:
    use()
    dossiers.make_due()
    with pikepdf.open(io.BytesIO(Dossier.objects.get().file.read_bytes())) as document:
        (field,) = document.Root.AcroForm.Fields
        assert str(field.V.SubFilter) == "/ETSI.CAdES.detached"


def test_event_names_responder_pool_and_owner() -> None:
    use()
    dossiers.make_due()
    (event,) = named(("dossier.made",))
    assert event.fields["recipients"] == [told.ident(each) for each in ("ann", "kim", "mo")]
    assert told.ident("ann") in Dossier.objects.get().people  # so that it goes when she is erased
    assert (event.fields["occasion"], event.fields["verdict"], event.case) == ("ended", "complete", told.ident("C1"))


def test_missing_lines_are_named_exactly(tmp_path: Path) -> None:
    use(says="gap", ranges=["session 1.1: lines 3-4"])
    dossiers.make_due()
    dossier = Dossier.objects.get()
    text = words(dossier, tmp_path)
    assert "Not complete: records are missing" in text
    assert "session 1.1: lines 3-4" in text
    assert dossier.verdict == "gap: session 1.1: lines 3-4"


def test_it_waits_for_the_verdict_and_then_says_that_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(ended_ago=10_000, says=None)
    assert dossiers.make_due() == 0
    monkeypatch.setattr(dossiers, "WAIT_FOR_VERDICT_MS", 5_000)
    assert dossiers.make_due() == 1
    assert "Not judged yet" in words(Dossier.objects.get(), tmp_path)


def test_it_does_not_wait_once_the_verdict_is_there() -> None:
    use(ended_ago=10_000)
    assert dossiers.make_due() == 1


def test_twice_makes_one_and_the_review_makes_another(tmp_path: Path) -> None:
    use()
    assert (dossiers.make_due(), dossiers.make_due()) == (1, 0)
    log = told.Told()
    story.review(log, "C1", now() - MINUTE, comments="All of it was needed.")
    log.write()
    assert (dossiers.make_due(), dossiers.make_due()) == (1, 0)
    assert list(Dossier.objects.order_by("made_at").values_list("occasion", flat=True)) == ["ended", "reviewed"]
    text = words(Dossier.objects.get(occasion="reviewed"), tmp_path)
    assert "All of it was needed." in text
    assert "Was there a real emergency" in text


def test_reviewed_use_of_offline_cards_has_a_dossier_although_nothing_was_opened(tmp_path: Path) -> None:
    log = told.organisation()
    story.ask(log, "C1", now() - HOUR, mode="bypass")
    story.review(log, "C1", now() - MINUTE, grant_id=None, comments="Both cards were fetched.")
    log.write()
    assert (dossiers.make_due(), dossiers.make_due()) == (1, 0)
    dossier = Dossier.objects.get()
    assert (dossier.occasion, dossier.grant_id) == ("reviewed", None)
    assert "Both cards were fetched." in words(dossier, tmp_path)


def test_what_is_not_sealed_makes_no_dossier() -> None:
    use()
    dossiers.make_due()
    append("grant.ended", by=process("test"), case=told.ident("C2"), grant_id="g", person_id="p", system_id="s", cause="expired",
           ended_at=1, over_at=1, removed_at=1, confirmed_at=1, read_back_from="target")  # fmt: skip
    assert dossiers.make_due() == 0


def test_failure_is_on_record_once_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    use()

    def broken(*_: Any, **__: Any) -> Any:
        raise RenderFailed("no_pango", "Pango is missing.")

    with monkeypatch.context() as patched:
        patched.setattr(dossiers, "made", broken)
        assert (dossiers.make_due(), dossiers.make_due()) == (0, 0)
        Dossier.objects.update(next_try_at=dossiers._now())
        assert dossiers.make_due() == 0
    assert [event.fields["code"] for event in named(("dossier.failed",))] == ["no_pango"]
    assert Dossier.objects.get().attempts == 2
    Dossier.objects.update(next_try_at=dossiers._now())
    assert dossiers.make_due() == 1


DISK = "A file could not be read or written where packs are made: no space left on device."


@pytest.mark.parametrize(
    ("step", "error", "told_of"),
    [
        ("made", ValueError("SELECT secret"), ("failed", "ValueError: the portal's own log says where.")),
        ("keep", OSError(28, "No space left on device", "/srv/x"), ("disk", DISK)),
        ("recipients", MemoryError(), ("failed", "MemoryError: the portal's own log says where.")),
    ],
)
def test_one_case_that_cannot_be_made_holds_up_no_other(
    monkeypatch: pytest.MonkeyPatch, step: str, error: Exception, told_of: tuple[str, str]
) -> None:
    """``recipients`` fails within the action that had begun to write the row."""
    use()
    log = told.Told()
    story.review(log, "C1", now() - MINUTE)
    log.write()
    works, tries = getattr(dossiers, step), iter([error])

    def fails_at_first(*args: Any, **more: Any) -> Any:
        if trouble := next(tries, None):
            raise trouble
        return works(*args, **more)

    monkeypatch.setattr(dossiers, step, fails_at_first)
    assert dossiers.make_due() == 1
    bad, good = Dossier.objects.get(occasion="ended"), Dossier.objects.get(occasion="reviewed")
    assert (bad.made_at, bad.attempts, bad.trouble, good.trouble) == (None, 1, told_of[1], "")
    assert [(each.fields["code"], each.fields["sentence"]) for each in named(("dossier.failed",))] == [told_of]
    assert dossiers.make_due() == 0  # put off
    Dossier.objects.filter(pk=bad.pk).update(next_try_at=dossiers._now())
    assert dossiers.make_due() == 1


def made(*recipients: object) -> Dossier:
    """A dossier of the use, as the log tells of it; not sealed yet."""
    dossier = Dossier(event_id=uuid.uuid4(), case=told.ident("C1"), occasion="ended")
    append(
        "dossier.made", by=dossiers.PORTAL, case=told.ident("C1"), subject=dossier.log_subject, dossier_id=dossier.pk,
        occasion="ended", log_size=1, log_root="aa", pdf_sha256="bb", bytes=1, verdict="complete",
        recipients=[str(each) for each in recipients],
    )  # fmt: skip
    return dossier


def test_mail_goes_to_each_recipient_once_with_the_file() -> None:
    ann, mo = person("Ann Berg"), person("Mo Own")
    use()
    dossier = made(ann.pk, mo.pk, told.ident("gone"))
    assert mails.run() == 0  # not sealed yet
    told.seal()
    assert (mails.run(), mails.run()) == (1, 0)
    alerts = Alert.objects.filter(kind="dossier.ready")
    assert {alert.recipient for alert in alerts} == {ann, mo}
    assert {alert.attachment for alert in alerts} == {dossier.file_name}
    assert {alert.facts["verdict"] for alert in alerts} == {"complete"}


def test_what_is_sealed_between_the_two_looks_is_mailed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    ann = person("Ann Berg")
    use()
    first = made(ann.pk)
    told.seal()
    second = made(ann.pk)

    def size_and_then_the_sealer() -> int:
        before = size()
        told.seal()
        return before

    with monkeypatch.context() as patched:
        patched.setattr(following, "size", size_and_then_the_sealer)
        assert mails.run() == 2
    assert mails.run() == 0
    third = made(ann.pk)
    told.seal()
    assert mails.run() == 1
    assert sorted(Alert.objects.values_list("attachment", flat=True)) == sorted(
        each.file_name for each in (first, second, third)
    )


def test_entry_that_cannot_be_read_alarms_and_holds_up_no_other_mail(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ann = person("Ann Berg")
    use()
    bad, good = made(ann.pk), made(ann.pk)
    told.seal()
    queued = mails._queue

    def stumble(entry: LoggedEvent) -> None:
        if entry.fields["dossier_id"] == str(bad.pk):
            raise KeyError("why")
        queued(entry)

    monkeypatch.setattr(mails, "_queue", stumble)
    assert (mails.run(), mails.run()) == (2, 0)
    assert [each.attachment for each in Alert.objects.all()] == [good.file_name]
    assert [each.levelname for each in caplog.records if each.name == mails.alarms.name] == ["ERROR"]


@pytest.mark.parametrize("kind", verdicts.SAYS)
def test_every_verdict_has_words(kind: str) -> None:
    assert all(verdicts.SAYS[kind])


@pytest.mark.parametrize(("why", "again"), [("erased", 1), ("cut", 0)])
def test_one_that_went_since_somebody_was_erased_is_made_again_of_what_is_left_and_sent_to_nobody(
    tmp_path: Path, why: str, again: int
) -> None:
    """However old; what was cut is not made again, though its entry be there still."""
    use(ended_ago=2 * HOUR)
    assert dossiers.make_due() == 1
    first = Dossier.objects.get()
    removing.remove(by=removing.REMOVER, row=first, why=why, event_id=str(uuid.uuid4()))
    doctored("DELETE FROM audit_personal_value WHERE field = 'reason'")
    with clock(lambda: now() + 9 * 86_400_000):
        assert (dossiers.make_due(), dossiers.make_due()) == (again, 0)
    assert Dossier.objects.count() == 1 + again
    if again:
        second = Dossier.objects.get(gone_at=None)
        text = words(second, tmp_path)
        assert ("Disk full" in text, "(erased" in text) == (False, True)
        told.seal()
        assert [bool(each.fields["recipients"]) for each in named(["dossier.made"])] == [True, False]
        assert second.event_id == first.event_id
