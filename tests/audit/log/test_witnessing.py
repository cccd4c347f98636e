"""The sealer and its witnesses, with real ones on the loopback: what they sign is kept and published, and nobody is waited for long."""

import logging
import socket
from functools import partial
from io import BytesIO
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import DatabaseError, connection, transaction

from audit.log import checkpoints
from audit.log.checkpoint import VerifiedCheckpoint, parse_checkpoint
from audit.log.checkpoints import NotSealed
from audit.log.cosignature import verify_cosignatures, witnessed_path
from audit.log.errors import NotVerified, ParseError
from audit.log.models import Cosignature
from audit.log.note import to_base64
from audit.log.published_lines import publish_lines
from audit.log.publisher import Publisher
from audit.log.publishing import publish_once
from audit.log.sealing import last_signed
from audit.log.signing import SignerKey, cosign
from audit.log.stores import HEAD, Overtaken
from audit.log.stores.directory import DirectoryStore
from audit.log.verify.check import Wanted, check
from audit.log.verify.sources import Folder
from audit.log.witness.listed import Listed, parse_witnesses
from audit.log.witness.requests import parse_request
from audit.log.witnessing import Witnessing
from tests.audit.log.logged import doctored, run_signer, sealed
from tests.servers import wait_until
from tests.witnesses import ONE, OTHER, required, serving, witness

pytestmark = pytest.mark.django_db


def last() -> VerifiedCheckpoint:
    found = last_signed(connection, [run_signer().verifier()])
    assert found is not None
    return found


def showing(witnessing: Witnessing) -> Witnessing:
    """Shown once more."""
    witnessing.show(connection, last())
    return witnessing


def trouble(witnessing: Witnessing) -> str:
    return str(witnessing.state()[0]["trouble"])


def tells(witnessing: Witnessing, words: str) -> bool:
    return words in trouble(showing(witnessing))


def shown(witnessing: Witnessing) -> VerifiedCheckpoint:
    """Show the last checkpoint until nobody lacks it."""
    wait_until(lambda: not showing(witnessing).lacks(last().size), "the cosignatures")
    return last()


def kept() -> list[tuple[int, str]]:
    return list(Cosignature.objects.order_by("size", "witness").values_list("size", "witness"))


def test_each_checkpoint_is_cosigned_published_and_proved(tmp_path: Path, settings: Any) -> None:
    store = DirectoryStore(tmp_path / "log")
    with serving(witness(ONE, tmp_path / "1")) as one, serving(witness(OTHER, tmp_path / "2")) as other:
        listed = Listed(ONE.cosigner(), one, True), Listed(OTHER.cosigner(), other, False)
        required(settings, *listed)
        witnessing = Witnessing(listed)
        for more, size in ((3, 3), (300, 303)):
            (event, *_) = sealed(more)
            assert checkpoints.inclusion(event, by_witnesses=True) is None
            assert shown(witnessing).size == size
            publish_once(connection, store, [run_signer().verifier()])
            found = checkpoints.wait_for_inclusion(event, 5, by_witnesses=True)
            assert (found.checkpoint.size, checkpoints.is_witnessed(found.checkpoint)) == (size, True)
            head = parse_checkpoint(store.read(HEAD) or b"").note
            assert {each.by for each in verify_cosignatures(head, [key.key for key in listed])} == {
                each.key for each in listed
            }
        witnessing.close()
    keys = sorted([ONE.cosigner().text(), OTHER.cosigner().text()])
    assert kept() == [(size, key) for size in (3, 303) for key in keys]
    assert [(each["name"], each["size"], each["trouble"]) for each in witnessing.state()] == [
        ("witness.example/w1", 303, ""), ("witness.example/w2", 303, ""),
    ]  # fmt: skip


def test_a_sealer_that_remembers_nothing_asks_from_where_the_witness_stands(tmp_path: Path) -> None:
    with serving(witness(ONE, tmp_path / "1")) as one:
        listed = (Listed(ONE.cosigner(), one, True),)
        for more in (3, 4):
            sealed(more)
            witnessing = Witnessing(listed)
            shown(witnessing)
            witnessing.close()
    assert [size for size, _ in kept()] == [3, 7]


def shown_in_vain(witnessing: Witnessing) -> None:
    """Where the database keeps nothing."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION READ ONLY")
        shown(witnessing)


def test_a_line_that_the_database_did_not_keep_is_asked_for_again(tmp_path: Path) -> None:
    with serving(witness(ONE, tmp_path / "1")) as one:
        witnessing = Witnessing((Listed(ONE.cosigner(), one, True),))
        sealed(3)
        with pytest.raises(DatabaseError):
            shown_in_vain(witnessing)
        assert (witnessing.lacks(3), kept()) == (True, [])
        shown(witnessing)
        witnessing.close()
    assert kept() == [(3, ONE.cosigner().text())]


def test_a_log_that_was_set_back_is_not_cosigned_and_alarms(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with serving(witness(ONE, tmp_path / "1")) as one:
        witnessing = Witnessing((Listed(ONE.cosigner(), one, True),))
        sealed(5)
        shown(witnessing)
        doctored("TRUNCATE audit_checkpoint, audit_sealed_entry, audit_tile")
        again = Witnessing(witnessing.listed)
        for more, words in ((2, "It has seen 5 entries"), (3, "422"), (1, "422")):
            sealed(more)
            with caplog.at_level(logging.CRITICAL, "breakglass.alarm"):
                again._asked[0].not_before = 0
                wait_until(partial(tells, again, words), words)
        again.close()
        witnessing.close()
    assert [size for size, _ in kept()] == [5]
    assert "Not witnessed by witness.example/w1: It has seen 5 entries, more than this log has" in caplog.text


def test_a_witness_that_is_away_or_hangs_holds_nothing_up(tmp_path: Path) -> None:
    """A gone one refuses, a hanging one never answers: the one that works is asked and kept all the same."""
    with socket.create_server(("127.0.0.1", 0)) as hanging, serving(witness(ONE, tmp_path / "1")) as one:
        gone = SignerKey("witness.example/gone", Ed25519PrivateKey.generate()).cosigner()
        listed = (
            Listed(OTHER.cosigner(), f"http://127.0.0.1:{hanging.getsockname()[1]}", True),
            Listed(gone, "http://127.0.0.1:9", True),
            Listed(ONE.cosigner(), one, True),
        )
        witnessing = Witnessing(listed)
        sealed(1)
        wait_until(lambda: showing(witnessing) and kept() == [(1, ONE.cosigner().text())], "the one that works")
        assert [each["trouble"] for each in witnessing.state()] == [
            "",
            "The witness cannot be reached: ConnectionRefusedError.",
            "",
        ]
        witnessing.close()


def test_an_answer_by_another_key_is_not_kept(tmp_path: Path) -> None:
    with serving(witness(OTHER, tmp_path / "1")) as one:
        witnessing = Witnessing((Listed(ONE.cosigner(), one, True),))
        sealed(1)
        wait_until(lambda: trouble(showing(witnessing)), "the refusal")
        witnessing.close()
    assert (kept(), "another key" in trouble(witnessing)) == ([], True)


def test_a_row_of_more_entries_than_there_are_keeps_nothing_from_being_witnessed(settings: Any, tmp_path: Path) -> None:
    """Whoever may write rows could otherwise keep closed for ever what opens under witnesses alone."""
    sealed(1)
    with serving(witness(ONE, tmp_path / "1")) as one:
        listed = Listed(ONE.cosigner(), one, True)
        required(settings, listed)
        witnessing = Witnessing((listed,))
        wait_until(lambda: showing(witnessing) and kept(), "the cosignature")
        witnessing.close()
    Cosignature.objects.create(size=2**62, witness=ONE.cosigner().text(), line="words", signed_at=1)
    found = checkpoints.witnessed()
    assert found is not None
    assert found.size == 1


def test_nothing_is_witnessed_where_no_witness_is_required_or_one_lacks(settings: Any, tmp_path: Path) -> None:
    (event,) = sealed(1)
    assert checkpoints.witnessed() is None
    with serving(witness(ONE, tmp_path / "1")) as one:
        listed = Listed(ONE.cosigner(), one, True), Listed(OTHER.cosigner(), "http://127.0.0.1:9", True)
        required(settings, *listed)
        witnessing = Witnessing(listed)
        wait_until(lambda: showing(witnessing) and kept(), "one of two")
        witnessing.close()
        with pytest.raises(NotSealed, match="cosigned by every required witness"):
            checkpoints.wait_for_inclusion(event, 0, by_witnesses=True)
        required(settings, listed[0])
        assert checkpoints.wait_for_inclusion(event, 0, by_witnesses=True).index == 0


def test_a_cosignature_set_by_hand_opens_nothing(settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    (event,) = sealed(1)
    required(settings, Listed(ONE.cosigner(), "http://127.0.0.1:9", True))
    Cosignature.objects.create(
        size=1, witness=ONE.cosigner().text(), line="— witness.example/w1 AAAAAAAAAAAA", signed_at=1
    )
    with pytest.raises(NotVerified):
        checkpoints.wait_for_inclusion(event, 0, by_witnesses=True)
    assert "do not verify" in caplog.text


@pytest.mark.parametrize(
    "text",
    [
        "required",
        "needed KEY http://a",
        "required KEY ftp://a",
        "required KEY http://",
        "required KEY http://a:80a",
        "required x+y http://a",
        "TWICE",
    ],
)
def test_settings_that_list_no_witness_are_refused(text: str) -> None:
    line = f"required {ONE.cosigner().text()} http://a"
    with pytest.raises(ParseError):
        parse_witnesses(f"{line};{line}" if text == "TWICE" else text.replace("KEY", ONE.cosigner().text()))


def test_required_witnesses_are_asked_for_the_same_checkpoint_while_the_log_grows(
    tmp_path: Path, settings: Any
) -> None:
    """One answers slowly: the other waits with it, so that both have cosigned one size however fast the log grows."""
    slow = witness(OTHER, tmp_path / "2")

    def slowly(environ: Any, start: Any) -> Any:
        gate.wait(90)
        return slow(environ, start)

    gate = Event()
    with serving(witness(ONE, tmp_path / "1")) as one, serving(slowly) as other:
        listed = Listed(ONE.cosigner(), one, True), Listed(OTHER.cosigner(), other, True)
        required(settings, *listed)
        witnessing = Witnessing(listed)
        for _ in range(3):
            sealed(1)
            showing(witnessing)
        gate.set()
        wait_until(lambda: showing(witnessing) and checkpoints.witnessed() is not None, "both")
        witnessing.close()
    sizes = [size for size, _ in kept()]
    assert sizes[:2] == [1, 1]


def publishing(folder: Path) -> Publisher:
    return Publisher("default", DirectoryStore(folder), [run_signer().verifier()], remembered=True)


def published_by(publisher: Publisher) -> int:
    """One turn of it, without its thread; how many entries are published then."""
    publisher._publish(partial(publisher._published, connection))
    assert (publisher.trouble, publisher.published is None) == ("", False)
    return publisher.published.checkpoint.size if publisher.published else 0


def head_size(store: DirectoryStore) -> int:
    head = store.read(HEAD)
    return parse_checkpoint(head).checkpoint.size if head else 0


def judged(folder: Path) -> list[tuple[int, int, str]]:
    """What the stand-alone verifier finds wrong that demands this witness, and where."""
    verdict, _ = check(Folder(folder), Wanted([run_signer().verifier()], witnesses=[ONE.cosigner()]))
    return [(each.first, each.last, each.kind) for each in verdict.damages]


def test_a_line_that_comes_late_is_shown_beside_a_log_that_grew_and_under_a_head_that_still_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The witness answers about a checkpoint only once a later one is published, and at the end at once."""
    publisher, prompt, hurry = publishing(tmp_path / "log"), witness(ONE, tmp_path / "1"), Event()
    store = DirectoryStore(tmp_path / "log")

    def late(environ: Any, start: Any) -> Any:
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        size = parse_request(body).checkpoint.checkpoint.size
        wait_until(lambda: hurry.is_set() or head_size(store) > size, "a later head")
        return prompt({**environ, "wsgi.input": BytesIO(body)}, start)

    monkeypatch.setattr("audit.log.witness.client.TIMEOUT_S", 60.0)  # no machine is too slow for this test
    with serving(late) as one:
        witnessing = Witnessing((Listed(ONE.cosigner(), one, True),))
        for size in range(1, 4):
            sealed(1)
            showing(witnessing)
            assert published_by(publisher) == size
            if size > 1:
                wait_until(lambda: witnessing.show(connection, last()), "the line of an earlier checkpoint")
                showing(witnessing)  # it is asked for the head now, in any case
                published_by(publisher)
                beside = parse_checkpoint(store.read(witnessed_path(ONE.cosigner().text())) or b"")
                assert len(verify_cosignatures(beside.note, [ONE.cosigner()])) == 1
                assert verify_cosignatures(parse_checkpoint(store.read(HEAD) or b"").note, [ONE.cosigner()]) == ()
                assert (beside.checkpoint.size, judged(store.folder)) == (
                    size - 1,
                    [(size - 1, size - 1, "not cosigned")],
                )
        hurry.set()
        shown(witnessing)
        witnessing.close()
    assert (published_by(publisher), judged(store.folder)) == (3, [])


def test_what_a_witness_cosigned_is_never_shown_as_less_and_a_log_set_back_behind_it_is_found(tmp_path: Path) -> None:
    store, publisher = DirectoryStore(tmp_path / "log"), publishing(tmp_path / "log")
    path = witnessed_path(ONE.cosigner().text())
    with serving(witness(ONE, tmp_path / "1")) as one:
        witnessing = Witnessing((Listed(ONE.cosigner(), one, True),))
        heads, heard = [], []
        for _ in range(2):
            sealed(2)
            shown(witnessing)
            published_by(publisher)
            heads.append(store.read(HEAD) or b"")
            heard.append(publisher.published)
        witnessing.close()
    before = heard[0]
    assert before is not None
    (store.folder / path).unlink()
    with pytest.raises(Overtaken):  # one that was paused since then
        publish_lines(connection, store, before, {})
    (store.folder / path).write_bytes(heads[1])
    assert judged(store.folder) == []
    (store.folder / HEAD).write_bytes(heads[0])
    assert judged(store.folder) == [(2, 3, "shorter than seen")]
    publish_lines(connection, store, before, {})
    assert store.read(path) == heads[1]
    (store.folder / path).write_bytes(b"words")
    publish_lines(connection, store, before, {})
    assert (store.read(path), judged(store.folder)) == (heads[0], [])


def signed_by(signer: SignerKey) -> None:
    """Its line under the last checkpoint, kept."""
    line = cosign(last().signed.note.text, signer, 1)
    text = f"— {line.name} {to_base64(line.key_id + line.value)}"
    Cosignature.objects.create(size=last().size, witness=signer.cosigner().text(), line=text, signed_at=1)


def test_each_witness_is_published_by_itself_however_far_it_is_behind_and_one_unread_is_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    publisher = publishing(tmp_path / "log")
    store, behind = DirectoryStore(tmp_path / "log"), witnessed_path(OTHER.cosigner().text())
    sealed(1)
    signed_by(OTHER)
    for _ in range(51):
        sealed(1)
        signed_by(ONE)
    third = SignerKey("witness.example/w3", Ed25519PrivateKey.from_private_bytes(b"3" * 32)).cosigner().text()
    unread = ["no key", "../../x+y+z", third]
    for each in unread:
        Cosignature.objects.create(size=52, witness=each, line="words", signed_at=1)
    assert (published_by(publisher), published_by(publisher), judged(store.folder)) == (52, 52, [])
    assert parse_checkpoint(store.read(behind) or b"").checkpoint.size == 1
    assert store.listed("witnessed") == sorted([behind, witnessed_path(ONE.cosigner().text())])
    (said,) = [each.getMessage() for each in caplog.records if each.name == "breakglass.alarm"]
    assert [each for each in unread if each not in said] == []


def test_a_damaged_tile_of_the_stored_log_is_told_and_stops_nothing(tmp_path: Path) -> None:
    with serving(witness(ONE, tmp_path / "1")) as one:
        witnessing = Witnessing((Listed(ONE.cosigner(), one, True),))
        sealed(3)
        shown(witnessing)
        sealed(2)
        doctored("UPDATE audit_tile SET hashes = substr(hashes, 1, 32)")
        showing(witnessing)
        witnessing.close()
    assert "missing or damaged" in trouble(witnessing)
