"""Follow the logs of all declared sources, and judge the windows that are due."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from audit.completeness.run import judge_due
from audit.log.append import now_ms
from audit.sources.process import gather


class Command(BaseCommand):
    """Runs until SIGTERM; one trouble of one source stops no other."""

    help = "Follow the logs of all declared sources and write what they report into the log."

    def add_arguments(self, parser: CommandParser) -> None:
        """``--once`` is for schedulers and tests."""
        parser.add_argument("--once", action="store_true", help="read everything that is there, then stop")

    def handle(self, *args: Any, **options: Any) -> None:
        """Gather, and judge what is due in between."""
        gather(once=options["once"], chore=lambda: judge_due(now_ms()))
