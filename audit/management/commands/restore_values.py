"""Takes personal values of entries that came back from backups. See docs/failover.md."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from audit.log.backup.configured import NotConfigured, identities_in, signers_of_backups, target_at
from audit.log.backup.values_again import restore_values
from audit.log.stores import StoreUnavailable
from audit.management.away import told
from audit.management.commands.restore import SOMETHING_IS_MISSING


class Command(BaseCommand):
    """Run as the owner of the database. Exit status 3: some values are in no backup, as printed."""

    help = (
        "Bring back personal values of entries that recover_log brought back, from the newest backups that hold them."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """From where, and with which key."""
        parser.add_argument("--from", dest="address", default=settings.PORTAL_BACKUP_TO, metavar="DIR|s3://…")
        parser.add_argument("--identity", required=True, type=Path, metavar="FILE", help="the secret key of age")

    @told("Nothing was brought back.")
    def handle(self, *args: Any, address: str, identity: Path, **options: Any) -> None:
        """Look, bring back, and say what came of it."""
        try:
            done = restore_values(target_at(address), identities_in(identity), signers_of_backups())
        except (NotConfigured, StoreUnavailable) as error:
            raise CommandError(f"Nothing was brought back. {error}") from error
        for each in done.unread:
            self.stdout.write(f"A backup was passed over. {each}")
        if not (done.back or done.lost or done.left_out):
            self.stdout.write("No personal value is missing from an entry that came back.")
            return
        self.stdout.write(
            f"{done.back} personal values came back, from {', '.join(done.backups) or 'no backup'}.\n"
            f"{done.left_out} are about people who were erased since, and stay away."
        )
        if done.lost:
            raise CommandError(
                f"{done.lost} personal values are lost: no backup that can be read holds them.",
                returncode=SOMETHING_IS_MISSING,
            )
