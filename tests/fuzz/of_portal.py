"""What people type into the portal, or hand to it as a file, as functions over any bytes."""

import zlib

from portal import offline_card
from portal.notifications.channels.webhook.addresses import WrongUrl
from portal.notifications.channels.webhook.addresses import parse as parse_url
from portal.personnel.reading import BrokenList, parse_list


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
