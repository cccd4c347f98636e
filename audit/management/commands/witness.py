"""The witness, for those who have the portal's code at hand; ``breakglass-witness`` is the same without Django."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from audit.log.witness.__main__ import main


class Command(BaseCommand):
    """Hands its arguments on."""

    help = "Cosign checkpoints of logs that only grow; see witness --help."
    requires_system_checks = ()

    def run_from_argv(self, argv: list[str]) -> None:
        """Django's own options mean nothing here."""
        sys.exit(main(argv[2:]))

    def handle(self, *args: Any, **options: Any) -> None:
        """Called from within a program: the arguments as they stand."""
        sys.exit(main([str(each) for each in args]))
