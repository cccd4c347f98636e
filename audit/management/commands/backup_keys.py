"""Makes the keys of backups."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit.log.backup.age import new_identity
from audit.log.errors import ParseError
from audit.log.keys import write_signer, write_text


class Command(BaseCommand):
    """No file is ever replaced."""

    help = "Make the key that signs backups and the pair that encrypts them. Take the identity elsewhere."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where to, and under which name."""
        parser.add_argument("--out", required=True, type=Path, metavar="DIR")
        parser.add_argument("--name", required=True, help="in the signature, as portal.example/backup")
        parser.add_argument("--if-missing", action="store_true", help="do nothing where all four files are there")

    def handle(self, *args: Any, out: Path, name: str, if_missing: bool, **options: Any) -> None:
        """Write ``backup.key``, ``backup.pub``, ``backup.recipient`` and ``backup.identity``."""
        if if_missing and all((out / f"backup.{each}").exists() for each in ("key", "pub", "recipient", "identity")):
            return
        out.mkdir(mode=0o700, parents=True, exist_ok=True)
        secret, public = new_identity()
        try:
            signer = write_signer(out / "backup.key", name)
            write_text(out / "backup.identity", secret.rstrip(), 0o600)
            write_text(out / "backup.pub", signer.verifier().text(), 0o644)
            write_text(out / "backup.recipient", public, 0o644)
        except FileExistsError as error:
            raise CommandError(f"{error.filename or error} is there already; no file is replaced.") from error
        except ParseError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"PORTAL_BACKUP_KEY_FILE={out / 'backup.key'}\nPORTAL_BACKUP_PUBLIC_KEY={signer.verifier().text()}\n"
            f"PORTAL_BACKUP_RECIPIENT={public}\n{out / 'backup.identity'} opens every backup: take it away from here."
        )
