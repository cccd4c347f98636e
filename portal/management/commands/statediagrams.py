"""Write the state diagrams into the docs, or say that they differ."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from portal.diagrams import page

PLACE = settings.BASE_DIR / "docs" / "developer" / "states.md"


class Command(BaseCommand):
    """``--check`` changes nothing and fails where the stored page differs."""

    help = "Write docs/developer/states.md from the tables of moves."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One switch."""
        parser.add_argument("--check", action="store_true", help="change nothing; fail where the page differs")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write or compare."""
        drawn = page()
        if not options["check"]:
            PLACE.parent.mkdir(parents=True, exist_ok=True)
            PLACE.write_text(drawn, encoding="utf-8")
        elif not PLACE.exists() or PLACE.read_text(encoding="utf-8") != drawn:
            raise CommandError(f"{PLACE.relative_to(settings.BASE_DIR)} is not in step; run manage.py statediagrams.")
