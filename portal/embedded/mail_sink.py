"""A mail server for demo and tests: takes every mail on the loopback interface and lays it into a folder as a file.

Run as `python -m portal.embedded.mail_sink FOLDER PORT`. It delivers nothing to anybody.
"""

import asyncio
import os
import secrets
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LARGEST_MAIL = 33_554_432  # bytes; a dossier as attachment fits
SENDER, RECIPIENT = b"X-Sink-Sender: ", b"X-Sink-Recipient: "


@dataclass(frozen=True)
class StoredMail:
    """One mail as it came. `received` is in ms since 1970 UTC; `content` the bytes of the message."""

    name: str
    received: int
    sender: str
    recipients: tuple[str, ...]
    content: bytes


def mail_files(folder: Path) -> list[Path]:
    """All mails in the folder, newest first and not read yet; none where there is no folder yet."""
    return sorted(folder.glob("*.eml"), reverse=True)


def read_mails(folder: Path) -> list[StoredMail]:
    """As `mail_files`, read."""
    return [read_mail(file) for file in mail_files(folder)]


def read_mail(file: Path) -> StoredMail:
    """One stored mail, its envelope split from its content. Raises OSError where it is gone."""
    sender, recipients, content = "", [], file.read_bytes()
    while content.startswith((SENDER, RECIPIENT)):
        line, _, content = content.partition(b"\r\n")
        if line.startswith(SENDER):
            sender = line.removeprefix(SENDER).decode()
        else:
            recipients.append(line.removeprefix(RECIPIENT).decode())
    return StoredMail(file.stem, int(file.stem.split("-")[0]) // 1_000_000, sender, tuple(recipients), content)


class Keep:
    """The handler that aiosmtpd calls."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """Write beside and rename, so that a reader never meets half a mail."""
        lines = [SENDER + (envelope.mail_from or "").encode()]
        lines += [RECIPIENT + recipient.encode() for recipient in envelope.rcpt_tos]
        # The time comes first and always has 19 digits until the year 2286: names sort by time.
        file = self.folder / f"{time.time_ns()}-{secrets.token_hex(4)}.eml"
        making = file.with_suffix(".making")
        making.write_bytes(b"\r\n".join([*lines, envelope.original_content]))
        making.rename(file)
        return "250 Kept"


async def serve(folder: Path, port: int) -> None:
    """Take mails until SIGTERM or SIGINT."""
    from aiosmtpd.smtp import SMTP  # noqa: PLC0415 - an extra: pages read mails where no sink can run

    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for ending in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(ending, ended.set)
    server = await loop.create_server(
        lambda: SMTP(Keep(folder), hostname="sink.invalid", data_size_limit=LARGEST_MAIL, enable_SMTPUTF8=True),
        "127.0.0.1",
        port,
    )
    async with server:
        await ended.wait()


def main(folder: Path, port: int) -> None:
    os.umask(0o077)
    folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(serve(folder, port))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
