"""Makes a backup: the log, what lies beside it, and the portal's tables."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit.log.append import process
from audit.log.away import AWAY
from audit.log.backup.configured import TROUBLE, NotConfigured
from audit.log.backup.hourly import UNREADABLE, make_one, sentence_of
from audit.management.away import told


class Command(BaseCommand):
    """Exit status 0: a whole backup lies there. 1: it does not, and what lay there before stands. Both are put on record."""

    help = "Back up the log, personal values and the portal's tables. What is there already is not written again."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where to."""
        parser.add_argument("--to", default="", metavar="DIR|s3://…", help="instead of PORTAL_BACKUP_TO")

    @told("No backup was made.")
    def handle(self, *args: Any, to: str, **options: Any) -> None:
        """Make one and say what it holds."""
        try:
            made = make_one(by=process("backup"), address=to)
        except AWAY:
            raise
        except (NotConfigured, *TROUBLE, *UNREADABLE) as error:
            raise CommandError(f"No backup was made. {sentence_of(error)}") from None
        self.stdout.write(
            f"Backup {made.id}: {made.size} entries, root {made.root}; {made.files} files with {made.bytes} bytes written, "
            f"{made.erased} folders erased, in {made.took_ms} ms. Its manifest has SHA-256 {made.manifest_sha256}."
        )
        if made.not_cut:
            self.stderr.write(f"Entries that were cut still lie there. {made.not_cut}")
