"""Moves away tiles and bundles beyond the published checkpoint, which a publication that broke off has left. See docs/failover.md."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.log.checkpoints import public_keys
from audit.log.clearing import Beyond, NothingPublished, beyond, move_away
from audit.log.errors import NotVerified
from audit.log.locks import Lock, alone
from audit.log.sealing import SealingError
from audit.log.stores import Overtaken, StoreUnavailable
from audit.log.stores.opening import open_store
from audit.management.away import told
from audit.management.commands.sealer import sealer_database


class Command(BaseCommand):
    """Run in the sealer's environment, with the sealer stopped. Lists them; moves them away where it is said whereto."""

    help = "List what lies beyond the published checkpoint, and move it away with --into."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Where copies are kept."""
        parser.add_argument("--into", type=Path, help="a folder that keeps a copy of each; then they are taken away")

    @told("Nothing was moved away.")
    def handle(self, *args: Any, **options: Any) -> None:
        """Look, say, and move."""
        if not settings.PORTAL_LOG_STORE:
            raise CommandError("PORTAL_LOG_STORE is not set: it names where the log is published.")
        with alone(Lock.SEALER, sealer_database()) as mine:
            if not mine:
                raise CommandError("A sealer is at work. Stop it first.")
            self._clear(options["into"])

    def _clear(self, into: Path | None) -> None:
        try:
            store = open_store(settings.PORTAL_LOG_STORE)
            found = beyond(store, public_keys())
            self._say(found)
            if into is not None and found.paths:
                move_away(store, found, into)
                self.stdout.write(f"They were moved to {into}.")
        except (NothingPublished, NotVerified, SealingError, StoreUnavailable, Overtaken, OSError, ValueError) as error:
            raise CommandError(f"Nothing was moved away. {error}") from error

    def _say(self, found: Beyond) -> None:
        for path in found.paths:
            self.stdout.write(path)
        for path in found.strange:
            self.stdout.write(f"{path} is nothing of a log's, and stays.")
        self.stdout.write(
            f"{len(found.paths)} resources lie beyond the published {found.head.checkpoint.size} entries."
        )
