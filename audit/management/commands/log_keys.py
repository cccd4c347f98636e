"""Makes the log's key pair, and helps to change it."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from audit.log import rotation
from audit.log.checkpoint import log_key_text
from audit.log.checkpoints import latest, public_keys
from audit.log.errors import NotVerified, ParseError
from audit.log.keys import PUBLIC_FILE, SECRET_FILE, write_pair
from audit.log.note import VerifierKey
from audit.management.away import told


class Command(BaseCommand):
    """Writes a secret and a public file, and never replaces one."""

    help = "Make the log's key pair: log.key for the sealer alone, log.pub for everybody. Or change it: docs/operate.md, section 2."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where to, the log's name, and the two halves of a change."""
        parser.add_argument("--out", type=Path, metavar="DIR", help="folder for log.key and log.pub")
        parser.add_argument("--name", help="name of the log; PORTAL_LOG_ORIGIN where it is not given")
        parser.add_argument(
            "--next", action="store_true", help="with --out: the key that shall follow; prints PORTAL_LOG_PUBLIC_KEY"
        )
        parser.add_argument(
            "--retire",
            action="store_true",
            help="print PORTAL_LOG_PUBLIC_KEY with the keys closed that signed before the present one",
        )

    @told("The key cannot be changed now.")
    def handle(self, *args: Any, **options: Any) -> None:
        """Write both and print the public key."""
        try:
            if options["retire"]:
                self._print(rotation.retired(public_keys()))
                return
            if options["out"] is None:
                raise CommandError("--out DIR says where the keys shall lie.")
            known = (public_keys(), latest()) if options["next"] else None
            public = self._made(options["out"], options["name"] or settings.PORTAL_LOG_ORIGIN)
        except NotVerified as error:
            raise CommandError(str(error)) from error
        if known:
            keys, last = known
            self._print(rotation.announced(keys, public, last.size if last else 0))
        else:
            self.stdout.write(public.text())

    def _made(self, out: Path, name: str) -> VerifierKey:
        try:
            public = write_pair(out, name)
        except FileExistsError as error:
            raise CommandError(f"{error.filename or error} is there already; a key is never replaced.") from error
        except OSError as error:
            raise CommandError(f"The keys cannot be written to {out}: {error.strerror}.") from error
        except ParseError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{out / SECRET_FILE}: for the sealer alone (PORTAL_LOG_KEY_FILE)")
        self.stdout.write(f"{out / PUBLIC_FILE}: for everybody (PORTAL_LOG_PUBLIC_KEY)")
        return public

    def _print(self, keys: tuple[VerifierKey, ...]) -> None:
        self.stdout.write("\n".join(log_key_text(key) for key in keys))
