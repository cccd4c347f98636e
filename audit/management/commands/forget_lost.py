"""Ends the sealer's stop, once two administrators have signed that what it remembers is lost. See docs/failover.md."""

import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from audit.log.checkpoints import public_keys
from audit.log.errors import NotVerified
from audit.log.forgetting import NotSignedAsLost, forget
from audit.log.locks import Lock, alone
from audit.log.sealing import SealingError
from audit.log.stores import StoreUnavailable
from audit.management.away import told
from audit.management.commands.sealer import published_to, sealer_database


class Command(BaseCommand):
    """Run in the sealer's environment, with the sealer stopped."""

    help = "Let the sealer forget a checkpoint whose entries two administrators have signed as lost."
    requires_system_checks = ()

    @told("Nothing was forgotten.")
    def handle(self, *args: Any, **options: Any) -> None:
        """Check, forget, and say what is remembered now."""
        memory = os.environ.get("PORTAL_LOG_SEEN_FILE", "")
        if not memory:
            raise CommandError("PORTAL_LOG_SEEN_FILE is not set: the sealer remembers nothing.")
        alias = sealer_database()
        with alone(Lock.SEALER, alias) as mine:
            if not mine:
                raise CommandError("A sealer is at work. Stop it first.")
            try:
                last = forget(connections[alias], Path(memory), published_to(), public_keys())
            except (NotSignedAsLost, NotVerified, SealingError, StoreUnavailable, OSError) as error:
                raise CommandError(f"Nothing was forgotten. {error}") from error
        self.stdout.write(f"The sealer goes on after {last.size} entries. What it remembered is kept beside {memory}.")
