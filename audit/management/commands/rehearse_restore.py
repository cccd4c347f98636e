"""Rehearses a restore: the last backup into an empty database that is made for it and goes again."""

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit.log.append import process
from audit.log.backup.configured import NotConfigured
from audit.log.backup.rehearsing import NotRehearsed, as_set, rehearse
from audit.log.backup.version import PutOff
from audit.management.away import told


class Command(BaseCommand):
    """Exit status 0: the backup was restored and holds what the log says. 1: it was not, or does not. Both are put on record.

    Also 1, and nothing on record: a setting is missing, somebody else rehearses, or the last backup is another version's.
    """

    help = "Restore the last backup for trial, hold it against the live log, and remove it again."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """In the place of settings."""
        parser.add_argument("--identity", default="", metavar="FILE", help="instead of PORTAL_REHEARSAL_IDENTITY_FILE")
        parser.add_argument(
            "--from", dest="address", default="", metavar="DIR|s3://…", help="instead of PORTAL_BACKUP_TO"
        )

    @told("Not rehearsed.")
    def handle(self, *args: Any, identity: str, address: str, **options: Any) -> None:
        """Rehearse, and say what came of it."""
        try:
            found = rehearse(by=process("rehearsal"), with_=as_set(identity, address=address))
        except (NotConfigured, NotRehearsed, PutOff) as error:
            raise CommandError(f"Not rehearsed. {error}") from error
        self.stdout.write(
            f"Backup {found['id']} can be restored: {found['size']} entries, root {found['root']}, {found['rows']} rows, "
            f"{found['values']} personal values. {_since(found)}"
        )


def _since(found: Mapping[str, Any]) -> str:
    """How many entries it lacks; where nothing is published nobody can say, and a restore names them one by one."""
    return (
        f"Sealed since it was made: {len(found['missing'])} entries."
        if found["asked"]
        else "No published log says what was sealed since."
    )
