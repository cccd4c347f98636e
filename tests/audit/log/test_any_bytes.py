"""What reads what others can write: any bytes give a value or our one error, and what was read is written the same.

Notes, proofs, bundles, entries, requests and answers of witnesses have the same test beside their other tests.
"""

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from audit.log.canonical import encode
from audit.log.checkpoint import Checkpoint, parse_checkpoint, parse_hash, parse_size
from audit.log.cosignature import CosignerKey, parse_cosigner_key
from audit.log.errors import ParseError
from audit.log.note import parse_signature, parse_verifier_key, to_base64, write_note
from audit.log.said import READERS, read_decision
from audit.log.signing import SignerKey, parse_signer_key, sign_checkpoint
from audit.log.tiles import parse_tile
from audit.log.verify.check import Wanted, check
from audit.log.verify.progress import NotOurs, recall
from audit.log.verify.sources import Folder
from audit.log.witness.listed import parse_witnesses
from tests.audit.log.strategies import values
from tests.audit.log.verify.published import published


def _checkpoint_again(text: str) -> str:
    return write_note(parse_checkpoint(text.encode("utf-8", "surrogateescape")).note).decode()


def _signature_again(text: str) -> str:
    read = parse_signature(text)
    return f"— {read.name} {to_base64(read.key_id + read.value)}"


AGAIN: dict[str, Callable[[str], str]] = {
    "checkpoint": _checkpoint_again,
    "signature": _signature_again,
    "verifier key": lambda text: parse_verifier_key(text).text(),
    "cosigner key": lambda text: parse_cosigner_key(text).text(),
    "signer key": lambda text: parse_signer_key(text).text(),
    "size": lambda text: str(parse_size(text)),
    "hash": lambda text: to_base64(parse_hash(text)),
}


def _valid(signer: SignerKey) -> dict[str, str]:
    return {
        "checkpoint": sign_checkpoint(Checkpoint(signer.name, 7, bytes(32)), signer).decode(),
        "signature": sign_checkpoint(Checkpoint(signer.name, 7, bytes(32)), signer).decode().splitlines()[-1],
        "verifier key": signer.verifier().text(),
        "cosigner key": signer.cosigner().text(),
        "signer key": signer.text(),
        "size": "1234",
        "hash": to_base64(bytes(32)),
    }


@pytest.mark.parametrize("name", AGAIN)
@given(data=st.data())
def test_any_text_gives_a_value_that_is_written_the_same_or_our_error(
    signer: SignerKey, name: str, data: st.DataObject
) -> None:
    valid = _valid(signer)[name]
    assert AGAIN[name](valid) == valid
    start = data.draw(st.integers(0, len(valid)))
    end = data.draw(st.integers(start, min(len(valid), start + 3)))
    text = valid[:start] + data.draw(st.text(max_size=4)) + valid[end:]
    try:
        again = AGAIN[name](text)
    except ParseError:
        return
    assert again == text


@given(st.binary(max_size=100), st.integers(0, 3))
def test_any_bytes_are_a_tile_or_our_error(data: bytes, hashes: int) -> None:
    try:
        found = parse_tile(data, hashes)
    except ParseError:
        return
    assert (len(found), b"".join(found)) == (hashes, data)


WITNESS = CosignerKey("w", bytes(32)).text()


@given(
    st.lists(
        st.sampled_from(["required", "optional", WITNESS, "http://w", "ftp://w", "\n", "", "["]) | st.text(max_size=5),
        max_size=8,
    )
)
def test_any_text_lists_witnesses_or_gives_our_error(words: list[str]) -> None:
    text = " ".join(words)
    try:
        found = parse_witnesses(text)
    except ParseError:
        return
    again = "\n".join(
        f"{'required' if each.required else 'optional'} {each.key.text()} {each.address}" for each in found
    )
    assert parse_witnesses(again) == found


FIELDS = (
    "minimum_index",
    "from_index",
    "from_at",
    "to_at",
    "keep_until",
    "asked_by",
    "approved_by",
    "event_id",
    "field",
    "erasure_id",
    "person_id",
)


@given(st.sampled_from(sorted(READERS)), st.dictionaries(st.sampled_from(FIELDS), values) | values)
@example("log.cut", {"minimum_index": "5"})
@example("personal_value.erased", {"event_id": "x", "field": "name"})
@example("erasure.done", [])
def test_an_entry_on_which_programs_act_is_read_or_gives_our_error(name: str, fields: Any) -> None:
    with contextlib.suppress(ParseError):
        READERS[name](encode({"at": 0, "name": name, "fields": fields}))
    with contextlib.suppress(ParseError):
        READERS[name](encode({"name": fields if isinstance(fields, str) else name}))
    for decision in ("cut.proposed", "cut.approved"):
        with contextlib.suppress(ParseError):
            read_decision(encode({"at": 0, "by": "a", "name": decision, "fields": fields}), 0)


@pytest.fixture(scope="module")
def source(signer: SignerKey, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return published(signer, tmp_path_factory.mktemp("log"), 300)


LEFT = {"first": 0, "end": 1, "again": [], "roots_sha256": "", "begun": 0}


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from(["checkpoint", "left"]), values) | values, st.booleans())
@example({"left": LEFT}, True)
@example({"left": LEFT | {"end": 2**64}}, True)
@example({"left": LEFT | {"first": 2}}, True)
@example({"left": LEFT | {"again": [-1]}}, True)
@example({"left": LEFT | {"other": 1}}, True)
@example({"checkpoint": 1, "left": LEFT}, False)
def test_any_memory_of_the_verifier_is_of_this_log_or_not_ours(
    source: Path, signer: SignerKey, tmp_path: Path, said: Any, ours: bool
) -> None:
    if ours and isinstance(said, dict):
        said = {**said, "checkpoint": (source / "checkpoint").read_text()}
    path = tmp_path / "memory"
    path.write_text(json.dumps(said))
    try:
        found = recall(path, [signer.verifier()], 0)
    except NotOurs:
        return
    assert found is not None
    verdict, _ = check(Folder(source), Wanted([signer.verifier()], [found.seen], left=found.left))
    assert (found.seen.size, verdict.damages, verdict.resumed, verdict.checked) == (300, [], 0, 300)


def test_a_memory_nested_too_deep_is_not_ours(source: Path, signer: SignerKey, tmp_path: Path) -> None:
    path = tmp_path / "memory"
    path.write_text("[" * 100_000)
    with pytest.raises(NotOurs):
        recall(path, [signer.verifier()], 0)
