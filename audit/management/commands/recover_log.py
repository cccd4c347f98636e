"""Brings back what a database that was set back has lost, from what is published. See docs/failover.md."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from audit.log.checking import published
from audit.log.checkpoints import public_keys
from audit.log.errors import NotVerified
from audit.log.recovery import CannotRecover, Under, recover
from audit.log.sealing import SealingError
from audit.log.verify.sources import SourceUnavailable
from audit.management.away import told


class Command(BaseCommand):
    """Run as the owner of the database, with the sealer stopped."""

    help = "Bring the stored log up to the published one, after the database was set back."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Under which checkpoint."""
        parser.add_argument(
            "--checkpoint", type=Path,
            help="a checkpoint that was kept elsewhere (by the sealer or a witness), where tiles of it lie beyond the published one",
        )  # fmt: skip

    @told("Nothing was brought back.")
    def handle(self, *args: Any, **options: Any) -> None:
        """Recover, and say what came back."""
        try:
            source = published()
        except ValueError as error:
            raise CommandError(f"PORTAL_LOG_STORE: {error}") from error
        if source is None:
            raise CommandError("PORTAL_LOG_STORE is not set: it names where the log is published.")
        try:
            if options["checkpoint"]:
                source = Under(source, options["checkpoint"].read_bytes())
            found = recover(connection, source, public_keys())
        except (CannotRecover, NotVerified, SealingError, SourceUnavailable, OSError) as error:
            raise CommandError(f"Nothing was brought back. {error}") from error
        if found is None:
            self.stdout.write("The stored log has all that is published.")
            return
        self.stdout.write(
            f"Entries {found.first} to {found.last} were brought back, of {_time(found.from_at)} to {_time(found.to_at)}.\n"
            "Their personal values are not among what is published: manage.py restore_values takes them from a newer backup.\n"
            f"What was acknowledged after {_time(found.to_at)} and never published is lost. Two administrators say so in the portal."
        )


def _time(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, tz=UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
