"""Writes the stand-alone verifier as one file, to be handed to whoever checks the log."""

import hashlib
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit.log.single_file import single_file


class Command(BaseCommand):
    """Prints the hash of what it wrote."""

    help = "Write the verifier of published logs as one file: python3 verify.pyz DIRECTORY --key KEY."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where to."""
        parser.add_argument("--out", type=Path, default=Path("verify.pyz"), help="the file; it is replaced")

    def handle(self, *args: Any, out: Path, **options: Any) -> None:
        """Write it."""
        data = single_file()
        try:
            out.write_bytes(data)
        except OSError as error:
            raise CommandError(f"{out} cannot be written: {error.strerror}.") from error
        self.stdout.write(f"{hashlib.sha256(data).hexdigest()}  {out}")
