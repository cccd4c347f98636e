"""Whoever answers slowly or without end holds nobody, and no address with a password is said."""

import base64
import contextlib
import os
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from audit.log import key_service
from audit.log.addresses import apart, spoken
from audit.log.backup.configured import NotConfigured, target_at
from audit.log.checkpoint import Checkpoint
from audit.log.errors import ParseError
from audit.log.fetching import NotFetched, fetch
from audit.log.signing import CannotSign, SignerKey, sign_checkpoint
from audit.log.stores import StoreUnavailable
from audit.log.stores.bucket import BucketStore
from audit.log.stores.directory import DirectoryStore
from audit.log.stores.opening import open_store
from audit.log.timestamps import client as timestamps
from audit.log.timestamps.client import NotStamped
from audit.log.verify import sources
from audit.log.verify.__main__ import main
from audit.log.verify.command import DAMAGED, NOT_CHECKED
from audit.log.verify.sources import Address, Folder, SourceUnavailable, source_of
from audit.log.witness import asking
from audit.log.witness import client as witnesses
from audit.log.witness.listed import Listed
from portal.environment import MissingSetting, database
from tests.audit.log.logged import run_signer
from tests.audit.log.verify.published import published
from tests.slow import answering, dripping_body, dripping_head, endless, saying
from tests.witnesses import ONE

SLOW = pytest.mark.parametrize("answer", [dripping_head, dripping_body])
SECRET = "pa%40ss"  # as it stands in an address


def quick(monkeypatch: pytest.MonkeyPatch, module: Any) -> None:
    """A deadline of its own that a test can wait for."""
    monkeypatch.setattr(module, "WHOLE_S", 0.3)


@SLOW
def test_an_answer_byte_by_byte_is_cut(answer: Any) -> None:
    with answering(answer) as (place, _), pytest.raises(NotFetched, match=r"^it takes longer than 0.3 seconds$"):
        fetch(f"http://{place}/", most=10**6, within_s=0.3, silent_s=5)


def test_no_more_is_read_than_a_byte_beyond_what_was_asked_for() -> None:
    with answering(endless) as (place, _):
        assert len(fetch(f"http://{place}/", most=1000, within_s=60, silent_s=5).data) == 1001


def test_the_body_of_a_redirect_is_not_read() -> None:
    def redirecting(link: Any, over: Any) -> None:
        link.sendall(f"HTTP/1.1 302 Found\r\nLocation: http://{there}/\r\n\r\n".encode())
        with contextlib.suppress(OSError):
            for _ in range(2**20):  # up to a terabyte
                sent.append(link.send(b"x" * 2**20))

    sent = list[int]()
    with answering(saying("200 OK", b"sound")) as (there, _), answering(redirecting) as (place, _):
        assert fetch(f"http://{place}/", most=10, within_s=20, silent_s=5).data == b"sound"
    assert sum(sent) < 2**26  # what lay on the way


def chattering(link: Any, over: Any) -> None:
    """A proxy that never ends its answer, however fast it is read."""
    link.sendall(b"HTTP/1.1 200 OK\r\n")
    with contextlib.suppress(OSError):
        while not over.is_set():
            link.sendall(b"A: b\r\n" * 1000)


@pytest.mark.parametrize(
    ("answer", "said"),
    [(dripping_head, "it takes longer than 0.3 seconds"), (chattering, "the proxy answers with more than 100 lines")],
)
def test_a_proxy_holds_nobody(answer: Any, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    within_s = 0.3 if answer is dripping_head else 60
    with answering(answer) as (place, _):
        monkeypatch.setenv("https_proxy", f"http://{place}")
        with pytest.raises(NotFetched, match=f"^{said}$"):
            fetch("https://log.example/", most=10, within_s=within_s, silent_s=5)


@SLOW
def test_a_timestamp_authority_holds_nobody(answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch, timestamps)
    with answering(answer) as (place, _), pytest.raises(NotStamped, match=r"longer than 0.3 seconds"):
        timestamps.ask(f"http://{place}/", b"x", ())


@SLOW
def test_a_source_of_the_verifier_holds_nobody(answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch, sources)
    with answering(answer) as (place, _), pytest.raises(SourceUnavailable, match=r"longer than 0.3 seconds"):
        Address(f"http://{place}").read("checkpoint")


@SLOW
def test_a_witness_holds_nobody(answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch, witnesses)
    monkeypatch.setattr(asking, "PATIENCE_S", 0.3)
    with answering(answer) as (place, _):
        with pytest.raises(witnesses.NotCosigned, match="cannot be reached"):
            witnesses.Client(ONE.cosigner(), f"http://{place}").ask(b"", None)  # type: ignore[arg-type]
        (shown,) = asking.ask_all([Listed(ONE.cosigner(), f"http://{place}", True)], [run_signer().verifier()], 60)
    assert (shown.silent, shown.why) == (True, "It cannot be reached: too slow.")


def test_a_witness_that_answers_without_end_is_refused() -> None:
    with answering(endless) as (place, _), pytest.raises(witnesses.NotCosigned, match="too long"):
        witnesses.Client(ONE.cosigner(), f"http://{place}").ask(b"", None)  # type: ignore[arg-type]


def bucket(place: str, **more: Any) -> BucketStore:
    known = open_store(f"s3://log/?region=us-east-1&endpoint=http://{place}")
    assert isinstance(known, BucketStore)
    return replace(known, **more)


@pytest.fixture
def _somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "one")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "two")


@pytest.mark.usefixtures("_somebody")
def test_a_bucket_holds_nobody() -> None:
    head = b'HTTP/1.1 200 OK\r\nETag: "x"\r\nContent-Length: 750\r\n\r\n'
    drips = answering(lambda link, over: dripping_body(link, over, head))
    with drips as (place, _), pytest.raises(StoreUnavailable, match=r"ReadTimeoutError|ResponseStreamingError"):
        bucket(place, patience_s=0.3).read("checkpoint")
    with answering(saying('200 OK\r\nETag: "x"', b"12345")) as (place, _):
        assert bucket(place, most=5).read("checkpoint") == b"12345"
        with pytest.raises(StoreUnavailable, match=r"^checkpoint has more than 4 bytes.$"):
            bucket(place, most=4).read("checkpoint")
    with answering(endless) as (place, _), pytest.raises(StoreUnavailable, match=r"more than 100 bytes"):
        bucket(place, most=100).read("checkpoint")


def test_a_directory_gives_no_more_than_it_was_opened_for_and_waits_for_no_pipe(tmp_path: Path) -> None:
    (tmp_path / "checkpoint").write_bytes(b"12345")
    os.mkfifo(tmp_path / "pipe")
    assert DirectoryStore(tmp_path, most=5).read("checkpoint") == b"12345"
    with pytest.raises(StoreUnavailable, match=r"^checkpoint has more than 4 bytes.$"):
        DirectoryStore(tmp_path, most=4).read("checkpoint")
    assert (DirectoryStore(tmp_path).read("pipe"), Folder(tmp_path).read("pipe")) == (b"", b"")


def test_a_signed_size_beyond_every_log_is_damage_and_nothing_is_looked_for(
    signer: SignerKey, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = published(signer, tmp_path / "log", 3)
    (folder / "checkpoint").write_bytes(sign_checkpoint(Checkpoint(signer.name, 2**62, bytes(32)), signer))
    memory = tmp_path / "memory"
    assert main([str(folder), "--key", signer.verifier().text(), "--memory", str(memory)]) == DAMAGED
    assert capsys.readouterr().out.splitlines()[0] == (
        f"checkpoint beyond every size: checkpoint. It says {2**62} entries; no log has more than {2**30}, so nothing was read."
    )
    assert not memory.exists(), "what nobody can read is not what the next run is held against"


@pytest.mark.parametrize("address", ["s3://one:two@log/", "s3://log/?endpoint=http://one:two@h/"])
def test_an_address_of_a_bucket_holds_no_password(address: str) -> None:
    with pytest.raises(ValueError, match="holds no name and no password"):
        open_store(address)
    with pytest.raises(NotConfigured) as caught:
        target_at(address)
    assert "two" not in str(caught.value)
    with pytest.raises(ValueError, match=r"^The endpoint is no address of a server.$"):
        open_store("s3://log/?region=us-east-1&endpoint=two")


def test_a_password_that_is_taken_for_a_port_is_not_said() -> None:
    with pytest.raises(MissingSetting) as caught:
        database("postgresql://ida:pa/ss@host/db")
    assert ("pa" in str(caught.value).replace("password", ""), caught.value.__cause__) == (False, None)


def test_user_info_goes_to_the_server_alone() -> None:
    with answering(saying("200 OK", b"sound")) as (place, asked):
        address = f"http://ida:{SECRET}@{place}/log"
        assert fetch(address, most=10, within_s=60, silent_s=5).data == b"sound"
    assert f"Authorization: Basic {base64.b64encode(b'ida:pa@ss').decode()}".encode() in asked[0].split(b"\r\n")
    assert apart(address)[0] == f"http://{place}/log"


@pytest.mark.parametrize("port", ["1", "none"])  # nobody there, and no port at all
def test_nothing_that_fails_says_the_password(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    address, said = f"http://ida:{SECRET}@127.0.0.1:{port}", []
    for failing in (
        lambda: timestamps.ask(address, b"x", ()),
        lambda: Address(address).read("checkpoint"),
        lambda: source_of(address.replace("http", "ftp")),
    ):
        with pytest.raises((NotStamped, SourceUnavailable, ParseError)) as caught:
            failing()
        said.append(f"{caught.value!r} {caught.value.__cause__!r}")
    assert main([address, "--key", run_signer().verifier().text()]) == NOT_CHECKED
    said.append("".join(capsys.readouterr()))
    assert [each for each in said if "ss@" in each or SECRET in each or "ida" in each] == []


@pytest.mark.parametrize(
    ("text", "fit"),
    [
        ("http://u:p@h/x", "http://…@h/x"),
        ("at http://u:p@ss@h:1/y, s3://a:b@c/d?endpoint=https://q:w@e/", "at http://…@h:1/y, s3://…@c/d?endpoint=https://…@e/"),
        ("postgresql://u:pa/ss@h/db", "postgresql://…@h/db"),
        ("postgresql://h/db?password=x&sslmode=y", "postgresql://h/db?password=…&sslmode=y"),
        ("see http://h/p?to=a@b.c and a@b.c", "see http://h/p?to=a@b.c and a@b.c"),
        ("http://host:80/path, @x", "http://host:80/path, @x"),
        ("http://u:p@h/\x1b[1m\n\tok\u2066", "http://…@h/[U+001B][1m[U+000A][U+0009]ok[U+2066]"),
    ],
)  # fmt: skip
def test_an_address_as_it_may_be_said(text: str, fit: str) -> None:
    assert spoken(text) == fit


def test_a_line_of_addresses_holds_nobody() -> None:
    """What a server answers is said as an error, and was once looked at for hours."""
    line = "a://:" * 13_000
    with (
        answering(lambda link, _: link.sendall(f"{line}\r\n".encode())) as (place, _),
        pytest.raises(NotFetched) as caught,
    ):
        fetch(f"http://{place}/", most=10, within_s=60, silent_s=60)
    assert str(caught.value) == f"{line}[U+000D][U+000A]"


HOSTILE = "\x1b[2J\x9b1mfine\u202e"


@pytest.mark.usefixtures("_somebody")
def test_what_a_server_says_moves_no_cursor_and_begins_no_line() -> None:
    """As an error in its status line, as the code of a bucket's error, as the answer of a key service."""
    said = []
    wrong = f"HTTP/1.1 {HOSTILE}\n".encode("latin-1", "replace")
    with answering(lambda link, _: link.sendall(wrong)) as (place, _):
        for failing in (
            lambda: timestamps.ask(f"http://{place}/", b"x", ()),
            lambda: Address(f"http://{place}").read("checkpoint"),
        ):
            with pytest.raises((NotStamped, SourceUnavailable)) as caught:
                failing()
            said.append(str(caught.value))
    coded = f"<Error><Code>{HOSTILE[4:]}&#13;&#10;ok</Code></Error>".encode()
    with answering(saying("400 Bad", coded)) as (place, _), pytest.raises(StoreUnavailable) as kept:
        bucket(place).put({"tile/0/000": b"x"})
    said.append(str(kept.value))
    with mock.patch.object(key_service, "_ask", return_value=HOSTILE), pytest.raises(CannotSign) as signed:
        key_service.KeyService(Path("desk"), run_signer().verifier()).sign(b"x")
    said.append(str(signed.value))
    assert (len(said), [each for each in said if not each.isprintable()]) == (4, [])
    assert [each for each in said if "[U+" not in each] == []


def test_a_folder_is_named_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable, match=f"^{tmp_path}/none is no directory.$"):
        source_of(f"{tmp_path}/none")
