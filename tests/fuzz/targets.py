"""What reads what others can write, each as a function over any bytes: it gives a value that is written as it was read, or its own one error.

Anything else that it raises is a find. `python -m tests.fuzz` looks for them; what was found is kept in `cases/` and run by `make test`.
"""

import socket
import zlib
from collections.abc import Callable
from unittest import mock

from audit.log import tiles
from audit.log.canonical import encode, parse_entry
from audit.log.checkpoint import log_key_text, parse_checkpoint, parse_log_key, parse_size
from audit.log.cosignature import parse_cosigner_key, parse_lines
from audit.log.errors import ParseError
from audit.log.note import parse_note, to_base64, write_note
from audit.log.proof import parse_proof, write_proof
from audit.log.tile_paths import parse_path
from audit.log.witness.listed import parse_witnesses
from audit.log.witness.requests import parse_request, write_request
from portal import offline_card
from portal.notifications.channels.webhook import post as webhook
from portal.notifications.channels.webhook.addresses import WrongUrl
from portal.notifications.channels.webhook.addresses import parse as parse_url
from portal.personnel.reading import BrokenList, parse_list

Target = Callable[[bytes], None]


def _bytes(again: Callable[[bytes], bytes]) -> Target:
    """Of a strict format: what is read is written the same."""

    def target(data: bytes) -> None:
        try:
            written = again(data)
        except ParseError:
            return
        assert written == data

    return target


def _text(again: Callable[[str], str]) -> Target:
    """The same for what is text by the time that it is read."""

    def target(data: bytes) -> None:
        try:
            text = data.decode()
        except UnicodeDecodeError:
            return
        try:
            written = again(text)
        except ParseError:
            return
        assert written == text

    return target


def _request(data: bytes) -> bytes:
    asked = parse_request(data)
    return write_request(asked.old, asked.path, write_note(asked.checkpoint.note))


def _lines(data: bytes) -> bytes:
    return "".join(f"— {each.name} {to_base64(each.key_id + each.value)}\n" for each in parse_lines(data)).encode()


def log_key(data: bytes) -> None:
    """A setting, which a person types; that it is valid for every size may be left out."""
    try:
        text = data.decode()
        written = log_key_text(parse_log_key(text))
    except (UnicodeDecodeError, ParseError):
        return
    assert written == text.removesuffix("@0-")


def bundle(data: bytes) -> None:
    """As many entries as the first byte says."""
    count, rest = (data[0], data[1:]) if data else (0, data)
    try:
        entries = tiles.parse_bundle(rest, count)
    except ParseError:
        return
    assert (len(entries), tiles.encode_bundle(entries)) == (count, rest)


def witnesses(data: bytes) -> None:
    """A setting, which a person types."""
    try:
        found = parse_witnesses(data.decode())
    except (UnicodeDecodeError, ParseError):
        return
    again = "\n".join(
        f"{'required' if each.required else 'optional'} {each.key.text()} {each.address}" for each in found
    )
    assert parse_witnesses(again) == found


def personnel(data: bytes) -> None:
    """Whole, with each address once, or no list."""
    try:
        found = parse_list(data)
    except BrokenList as error:
        said = error.sentences
    else:
        said = [line.email for line in found.lines.values()]
        assert set(said) == set(found.lines)
    assert said


def card(data: bytes) -> None:
    """Typed words, or a line of a QR code that was read wrongly."""
    try:
        found = offline_card.read(data.decode())
    except (UnicodeDecodeError, offline_card.DamagedCard):
        return
    assert offline_card.read(found.qr() if found.login else found.words) == found


def card_line(data: bytes) -> None:
    """A QR code that somebody else made, with a checksum that fits."""
    try:
        text = data.decode().strip()
    except UnicodeDecodeError:
        return
    card(f"{text}{offline_card.MARK}{zlib.crc32(text.encode()):08x}".encode())


def question(data: bytes) -> None:
    """What custodians typed of the portal's question."""
    try:
        found = offline_card.read_question(data.decode())
    except (UnicodeDecodeError, offline_card.MistypedQuestion):
        return
    assert offline_card.read_question(found) == found


def webhook_url(data: bytes) -> None:
    """An address that a person typed."""
    try:
        parse_url(data.decode())
    except (UnicodeDecodeError, WrongUrl):
        return


def webhook_answer(data: bytes) -> None:
    """What a receiver answers, until it hangs up; the status, or that it was not reached."""
    ours, theirs = socket.socketpair()
    with ours, theirs, mock.patch.object(webhook, "_resolve", return_value="192.0.2.1"):
        theirs.sendall(data[:60_000])
        theirs.shutdown(socket.SHUT_WR)

        def connect(self: webhook._Judged) -> None:
            self.sock = ours

        with mock.patch.object(webhook._Judged, "connect", connect):
            try:
                status = webhook.post(parse_url("https://receiver.example/"), b"{}", {}, named=())
            except webhook.NotReached:
                return
    assert 100 <= status <= 999


TARGETS: dict[str, Target] = {
    "note": _bytes(lambda data: write_note(parse_note(data))),
    "checkpoint": _bytes(lambda data: write_note(parse_checkpoint(data).note)),
    "cosignatures": _bytes(_lines),
    "proof": _bytes(lambda data: write_proof(parse_proof(data))),
    "entry": _bytes(lambda data: encode(parse_entry(data))),
    "request": _bytes(_request),
    "tile_path": _text(lambda text: tiles.path(parse_path(text))),
    "log_key": log_key,
    "cosigner_key": _text(lambda text: parse_cosigner_key(text).text()),
    "size": _text(lambda text: str(parse_size(text))),
    "bundle": bundle,
    "witnesses": witnesses,
    "personnel": personnel,
    "card": card,
    "card_line": card_line,
    "question": question,
    "webhook_url": webhook_url,
    "webhook_answer": webhook_answer,
}
