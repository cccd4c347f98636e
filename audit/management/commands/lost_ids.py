"""Lists the ids in mails, receipts and server logs that no entry of the log mentions. See docs/failover.md."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from audit.log.forgetting import ids_in, unmentioned
from audit.management.away import told


class Command(BaseCommand):
    """Prints one id in each line: what the page of lost ranges takes."""

    help = "List ids that somebody was told and no event mentions, from any text files."

    def add_arguments(self, parser: CommandParser) -> None:
        """The files, and folders of them."""
        parser.add_argument("files", nargs="+", type=Path, help="text files; of a folder, all that lie in it")

    @told("Nothing was looked up.")
    def handle(self, *args: Any, **options: Any) -> None:
        """Read them, ask, print."""
        try:
            texts = [path.read_text(errors="replace") for path in _files(options["files"])]
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}.") from error
        with connection.cursor() as cursor:
            lost = unmentioned(cursor, told_of := ids_in(texts))
        for each in lost:
            self.stdout.write(each)
        # Beside the list, which is pasted as it stands: without it nobody knows whether anything was read.
        self.stderr.write(f"Files read: {len(texts)}. Ids in them: {len(told_of)}; in no entry: {len(lost)}.")


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    """A folder stands for the files in it, at any depth."""
    for path in paths:
        yield from sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path]
