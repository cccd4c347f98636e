"""Makes the log's key pair."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from audit.log.errors import ParseError
from audit.log.keys import PUBLIC_FILE, SECRET_FILE, write_pair


class Command(BaseCommand):
    """Writes a secret and a public file, and never replaces one."""

    help = "Make the log's key pair: log.key for the sealer alone, log.pub for everybody."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where to, and the log's name."""
        parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder for log.key and log.pub")
        parser.add_argument("--name", help="name of the log; PORTAL_LOG_ORIGIN where it is not given")

    def handle(self, *args: Any, out: Path, name: str | None, **options: Any) -> None:
        """Write both and print the public key."""
        try:
            public = write_pair(out, name or settings.PORTAL_LOG_ORIGIN)
        except FileExistsError as error:
            raise CommandError(f"{error.filename or error} is there already; a key is never replaced.") from error
        except OSError as error:
            raise CommandError(f"The keys cannot be written to {out}: {error.strerror}.") from error
        except ParseError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{out / SECRET_FILE}: for the sealer alone (PORTAL_LOG_KEY_FILE)")
        self.stdout.write(f"{out / PUBLIC_FILE}: for everybody (PORTAL_LOG_PUBLIC_KEY)")
        self.stdout.write(public.text())
