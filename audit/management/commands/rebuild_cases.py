"""Make the list of cases again from the log."""

from typing import Any

from django.core.management.base import BaseCommand

from audit.cases.projection import rebuild


class Command(BaseCommand):
    """Harmless at any time: the list is no evidence, and the pages of cases do not read it."""

    help = "Empty the list of cases and make it again from the sealed log."

    def handle(self, *args: Any, **options: Any) -> None:
        """Say how many there are."""
        count = rebuild()
        self.stdout.write(f"{count} case{'' if count == 1 else 's'} in the list.")
