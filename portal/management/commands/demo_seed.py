"""Fill the demo: the target's data, the organisation, its past uses. Run at each start; what is there stays."""

import os
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from portal.demo.personas import PERSONAS
from portal.demo.seeding import HalfFilled, seed


class Command(BaseCommand):
    """Only where PORTAL_DEMO is set."""

    help = "Fill the demo. Refuses to run anywhere else."

    def handle(self, *args: Any, **options: Any) -> None:
        """Seed, then say who can sign in."""
        if not settings.PORTAL_DEMO:
            raise CommandError("This fills demos only. Set PORTAL_DEMO=1 for one.")
        try:
            seed(os.environ["TARGET_SUPERUSER_URL"])
        except HalfFilled as half:
            raise CommandError(str(half)) from half
        self.stdout.write(f"  Who can sign in (their codes: {settings.PORTAL_URL}/demo/):")
        for persona in PERSONAS:
            self.stdout.write(f"    {persona.email:<28} {persona.password:<24} {persona.does}")
