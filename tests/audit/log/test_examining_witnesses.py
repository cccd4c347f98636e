"""The log held against its witnesses: kept lines under the keys of the settings alone, and what each witness saw last."""

import json
import socket
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import connection

from audit.log import checking
from audit.log.append import process
from audit.log.errors import NotVerified
from audit.log.examination import examine
from audit.log.examining_witnesses import asked_or_why
from audit.log.models import Cosignature, StoredCheckpoint
from audit.log.note import to_base64
from audit.log.read import named
from audit.log.sealing import last_signed
from audit.log.signing import SignerKey, cosign
from audit.log.witness.asking import Shown, ask_all
from audit.log.witness.client import MAX_ANSWER
from audit.log.witness.listed import Listed, known_keys, parse_witnesses
from audit.log.witnessing import Witnessing
from audit.packs.position import NoPosition, as_files, newest
from tests.audit.log.logged import doctored, run_signer, sealed
from tests.audit.log.test_verify_log import FAILED, run
from tests.servers import wait_until
from tests.witnesses import ONE, OTHER, required, serving, witness

pytestmark = pytest.mark.django_db
NOBODY = "http://127.0.0.1:9"
IMPOSTOR = SignerKey(ONE.name, Ed25519PrivateKey.from_private_bytes(bytes([9]) * 32))
EMPTY = "audit_checkpoint, audit_sealed_entry, audit_tile, audit_queue"
NOT_LOOKED = "The log verifies. What witnesses have cosigned could not be looked at. (2)"


def line_of(signer: SignerKey, at: int = 1) -> str:
    """As this key would cosign the last checkpoint."""
    found = cosign(StoredCheckpoint.objects.latest("size").note.split("\n\n")[0] + "\n", signer, at)
    return f"— {found.name} {to_base64(found.key_id + found.value)}"


def keep(signer: SignerKey, line: str = "") -> None:
    """A row of the last checkpoint, as the sealer would write it."""
    size = StoredCheckpoint.objects.latest("size").size
    Cosignature.objects.create(size=size, witness=signer.cosigner().text(), line=line or line_of(signer), signed_at=1)


def shown(*listed: Listed) -> None:
    """The last checkpoint is shown to these until each has cosigned it."""
    witnessing = Witnessing(listed)
    last = last_signed(connection, [run_signer().verifier()])
    assert last is not None
    wait_until(lambda: witnessing.show(connection, last) and not witnessing.lacks(last.size), "the cosignatures")
    witnessing.close()


def unlisted(setting: str) -> tuple[int, list[str]]:
    """How many lines were not checked, and which are wrong, under this setting."""
    found = examine([run_signer().verifier()], witnesses=asked_or_why(setting, []))
    return found.cosignatures_unlisted, found.wrong_cosignatures


@pytest.mark.parametrize("swapped", ["key and line", "line", "key"])
def test_a_key_that_was_swapped_in_the_row_vouches_for_nothing(swapped: str) -> None:
    """The database's administrator signs a line under the witness's name, and says in the row that this is its key."""
    sealed(3)
    keep(IMPOSTOR if "key" in swapped else ONE, line_of(IMPOSTOR if "line" in swapped else ONE))
    assert unlisted(f"retired {ONE.cosigner().text()}") == (0, [f"3 by {ONE.name}"])


def test_a_paper_carries_lines_and_keys_of_the_witnesses_of_the_settings_alone(settings: Any) -> None:
    """Not what rows say of themselves: a stranger's is left out, and a listed key does not vouch for another's line."""
    sealed(3)
    keep(ONE)
    keep(IMPOSTOR)
    keep(OTHER, line_of(IMPOSTOR))
    settings.PORTAL_LOG_WITNESSES = "; ".join(f"retired {each.cosigner().text()}" for each in (ONE, OTHER))
    files = {each.name: bytes(each.data).decode() for each in as_files(newest())}
    assert files["witness-public-keys.txt"].split() == [ONE.cosigner().text()]
    assert files["checkpoint.txt"] == StoredCheckpoint.objects.latest("size").note + line_of(ONE) + "\n"
    settings.PORTAL_LOG_WITNESSES = ""
    assert [each.name for each in as_files(newest())] == ["checkpoint.txt", "log-public-keys.txt"]
    settings.PORTAL_LOG_WITNESSES = "required nobody"
    with pytest.raises(NoPosition, match="PORTAL_LOG_WITNESSES cannot be read"):
        newest()


def test_lines_of_listed_and_of_retired_keys_hold_and_those_of_strangers_are_counted() -> None:
    sealed(3)
    for signer in (ONE, IMPOSTOR, OTHER):
        keep(signer)
    old, new, other = (f"retired {each.cosigner().text()}" for each in (ONE, IMPOSTOR, OTHER))
    assert [unlisted(setting) for setting in (f"{old};{new};{other}", f"{old};{new}", old, "")] == [
        (0, []), (1, []), (1, [f"3 by {ONE.name}"]), (3, []),
    ]  # fmt: skip


def test_a_retired_witness_is_known_and_asked_no_more() -> None:
    asked = f"required {ONE.cosigner().text()} {NOBODY}"
    setting = f"{asked}\nretired {IMPOSTOR.cosigner().text()}"
    assert parse_witnesses(setting) == parse_witnesses(asked)
    assert known_keys(setting) == (ONE.cosigner(), IMPOSTOR.cosigner())


def test_a_log_that_witnesses_have_seen_whole_verifies(tmp_path: Path, settings: Any) -> None:
    with serving(witness(ONE, tmp_path / "1")) as one, serving(witness(OTHER, tmp_path / "2")) as other:
        listed = Listed(ONE.cosigner(), one, True), Listed(OTHER.cosigner(), other, False)
        required(settings, *listed)
        sealed(3)
        shown(listed[0])
        sealed(2)
        printed, failed = run()
    assert failed == ""
    assert printed.splitlines()[:3] == [
        "5 entries under 2 checkpoints.", f"Cosigned last, and stored: 3 by {ONE.name}.",
        f"A witness shows nothing. {OTHER.name}: It shows no checkpoint of this log.",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("grows", "sentence", "located"),
    [
        (2, f"{ONE.name} has cosigned 5 entries, and 2 are stored: entries 2 to 4 are missing.", (2, 4)),
        (5, f"{ONE.name} has cosigned another tree of the entries 0 to 4 than the stored one.", (5, 4)),
        (7, f"{ONE.name} has cosigned another tree of the entries 0 to 4 than the stored one.", (0, 4)),
    ],
)
def test_a_log_that_was_set_back_or_split_is_damage_where_the_witness_saw_it(
    tmp_path: Path, settings: Any, grows: int, sentence: str, located: tuple[int, int]
) -> None:
    """All of it fits in itself, kept lines too: nobody but the witness can tell."""
    with serving(witness(ONE, tmp_path / "1")) as one:
        listed = Listed(ONE.cosigner(), one, True)
        required(settings, listed)
        sealed(5)
        shown(listed)
        doctored(f"TRUNCATE {EMPTY}, audit_cosignature, audit_event, audit_personal_value")
        sealed(grows)
        printed, failed = run("--json")
    report = json.loads(printed)
    assert (failed, report["beyond"], report["unseen"]) == (FAILED, [sentence], [])
    bad = report["bad_ranges"][0]
    assert (bad["from_index"], bad["to_index"]) == located


def test_a_witness_that_cannot_be_looked_at_is_neither_health_nor_damage(settings: Any) -> None:
    sealed(1)
    settings.PORTAL_LOG_WITNESSES = f"optional {ONE.cosigner().text()} {NOBODY}"
    printed, failed = run()
    sentence = f"A witness could not be looked at. {ONE.name}: It cannot be reached: ConnectionRefusedError."
    assert (sentence in printed.splitlines(), failed) == (True, NOT_LOOKED)
    settings.PORTAL_LOG_WITNESSES = "words"
    assert run()[1].startswith("PORTAL_LOG_WITNESSES cannot be read. A witness is listed as:")


def answering(status: str, body: Callable[[], bytes]) -> Callable[..., Sequence[bytes]]:
    def answer(environ: Any, start: Any) -> Sequence[bytes]:
        start(status, [])
        return [body()]

    return answer


def a_head(*cosigners: SignerKey, by: SignerKey | None = None) -> bytes:
    """The last checkpoint, cosigned; or one of another log's key."""
    note = StoredCheckpoint.objects.latest("size").note
    if by is not None:
        note = note.replace(to_base64(run_signer().verifier().key_id)[:4], to_base64(by.verifier().key_id)[:4])
    return (note + "".join(f"{line_of(each)}\n" for each in cosigners)).encode()


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        ("200 OK", lambda: b"words", "proves nothing"),
        ("200 OK", a_head, "has not cosigned it"),
        ("200 OK", lambda: a_head(OTHER), "has not cosigned it"),
        ("200 OK", lambda: a_head(ONE, by=OTHER), "proves nothing"),
        ("200 OK", lambda: bytes(MAX_ANSWER + 1), "It answers 200"),
        ("500 Broken", lambda: b"", "It answers 500"),
    ],
    ids=["no note", "no line", "another's line", "another log", "too long", "an error"],
)
def test_what_proves_nothing_is_said_and_is_no_damage(status: str, body: Callable[[], bytes], why: str) -> None:
    sealed(2)
    data = body()
    with serving(answering(status, lambda: data)) as address:
        (found,) = ask_all([Listed(ONE.cosigner(), address, True)], [run_signer().verifier()])
    assert (found.head, found.silent, why in found.why) == (None, True, True), found.why


def test_who_takes_too_long_holds_nobody_up(tmp_path: Path) -> None:
    sealed(2)
    with socket.create_server(("127.0.0.1", 0)) as hanging, serving(witness(ONE, tmp_path / "1")) as one:
        listed = Listed(ONE.cosigner(), one, True)
        slow = Listed(OTHER.cosigner(), f"http://127.0.0.1:{hanging.getsockname()[1]}", True)
        shown(listed)
        with pytest.raises(NotVerified, match="No public key of the log is set"):
            ask_all([slow, listed], [])
        wait_until(lambda: ask_all([slow, listed], [run_signer().verifier()], 0.3)[1].head is not None, "the other")
        assert ask_all([slow], [run_signer().verifier()], 0) == [
            Shown(OTHER.cosigner(), why="It takes too long to answer.", silent=True)
        ]


def test_the_daily_check_asks_them_too(
    tmp_path: Path, settings: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking.alarms, "propagate", True)
    with serving(witness(ONE, tmp_path / "1")) as one:
        listed = Listed(ONE.cosigner(), one, True)
        required(settings, listed)
        sealed(4)
        shown(listed)
        assert checking.check(by=process("checker")).ok
        doctored(f"TRUNCATE {EMPTY}, audit_cosignature, audit_event, audit_personal_value")
        sealed(3)
        assert not checking.check(by=process("checker")).ok
    required(settings, replace(listed, address=NOBODY))
    assert not checking.check(by=process("checker")).beyond
    (damage,) = named(["log.damage_found"])
    assert (
        f"{ONE.name} has cosigned 4 entries, and 3 are stored: entries 3 to 3 are missing." in damage.fields["damages"]
    )
    assert [each.fields.get("unseen") for each in named(["log.checked"])] == [None, 1]
    assert f"What witnesses have cosigned could not be looked at: {ONE.name}: It cannot be reached" in caplog.text
