"""The log's key is changed as docs/operate.md says, under a sealer and a witness that are processes: one history goes on, and the old key says nothing more."""

from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any

import pytest

from audit.log.checkpoint import parse_checkpoint
from audit.log.checkpoints import public_keys
from audit.log.cosignature import parse_cosigner_key, verify_cosignatures
from audit.log.examination import examine
from audit.log.keys import load_signer, write_signer
from audit.log.models import SealedEntry
from audit.log.signing import sign_checkpoint
from audit.log.verify.__main__ import main as verify
from portal.embedded.ports import free_port
from tests.audit.log.logged import appended, doctored, run_signer
from tests.audit.log.test_log_keys import run as log_keys
from tests.faults.programs import Program, running
from tests.servers import wait_until

WITNESS = "witness.example/w1"


def cosigned(place: Path, witness: str) -> int:
    """Of how many entries the published checkpoint is, if it has the witness's line."""
    with suppress(FileNotFoundError):
        head = parse_checkpoint((place / "log/checkpoint").read_bytes())
        return head.checkpoint.size if verify_cosignatures(head.note, [parse_cosigner_key(witness)]) else 0
    return 0


def of_keys(keys: str, option: str = "--key") -> list[str]:
    return [word for key in keys.split() for word in (option, key)]


def sealing(place: Path, key: Path, settings: Any) -> AbstractContextManager[Program]:
    """A sealer with this key and the settings of now; each goes on from the memory of the one before."""
    environment = {
        "PORTAL_LOG_STORE": str(place / "log"), "PORTAL_LOG_SEEN_FILE": str(place / "seen"), "PORTAL_LOG_KEY_FILE": str(key),
        "PORTAL_LOG_PUBLIC_KEY": settings.PORTAL_LOG_PUBLIC_KEY, "PORTAL_LOG_WITNESSES": settings.PORTAL_LOG_WITNESSES,
    }  # fmt: skip
    return running("sealer", role="sealer", environment=environment)


def witnessing(place: Path, port: int, keys: str) -> AbstractContextManager[Program]:
    """The witness, begun again with these keys of the log."""
    logs = of_keys(keys, "--log")
    own = ("--key", str(place / "witness.key"), "--state", str(place / "state"), "--bind", f"127.0.0.1:{port}")
    return running("witness", *own, *logs)


@pytest.mark.faults
@pytest.mark.django_db(transaction=True)
def test_the_key_is_changed_under_sealer_and_witness_and_one_history_goes_on(
    tmp_path: Path, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    old, old_file, new_file, port = run_signer(), tmp_path / "old.key", tmp_path / "next/log.key", free_port()
    old_file.write_text(old.text())
    witness = write_signer(tmp_path / "witness.key", WITNESS).cosigner().text()
    settings.PORTAL_LOG_ORIGIN, settings.PORTAL_LOG_PUBLIC_KEY = old.name, old.verifier().text()
    settings.PORTAL_LOG_WITNESSES = f"required {witness} http://127.0.0.1:{port}"

    def goes_on(more: int, size: int, key: Path) -> None:
        """With the settings of now."""
        with sealing(tmp_path, key, settings) as sealer:
            appended(more)
            said = f"{size} to be cosigned and published"
            wait_until(lambda: cosigned(tmp_path, witness) == size, f"{said}\n{sealer.said}", 90)
            sealer.stop()

    with witnessing(tmp_path, port, settings.PORTAL_LOG_PUBLIC_KEY):
        goes_on(3, 3, old_file)
    kept = tmp_path / "kept"
    kept.write_bytes((tmp_path / "log/checkpoint").read_bytes())
    settings.PORTAL_LOG_PUBLIC_KEY = "\n".join(log_keys("--next", "--out", str(new_file.parent)).splitlines()[2:])
    with witnessing(tmp_path, port, settings.PORTAL_LOG_PUBLIC_KEY):
        goes_on(2, 5, old_file)
        goes_on(2, 7, new_file)
    new = load_signer(new_file)
    closed = log_keys("--retire")
    settings.PORTAL_LOG_PUBLIC_KEY = closed
    assert closed.split() == [f"{old.verifier().text()}@0-5", f"{new.verifier().text()}@3-"]
    with witnessing(tmp_path, port, closed):
        goes_on(1, 8, new_file)
    asked = [str(tmp_path / "log"), *of_keys(closed), "--witness", witness, "--seen", str(kept), "--quiet"]
    assert (verify(asked), examine(public_keys()).sentences()) == (0, [])
    assert list(SealedEntry.objects.order_by("index").values_list("index", flat=True)) == list(range(8))

    head = tmp_path / "log/checkpoint"
    head.write_bytes(sign_checkpoint(parse_checkpoint(head.read_bytes()).checkpoint, old))
    doctored("UPDATE audit_checkpoint SET note = %s WHERE size = 8", head.read_text())
    capsys.readouterr()
    assert verify(asked) == 1
    assert "checkpoint not signed" in capsys.readouterr().out
    assert examine(public_keys()).sentences() != []
