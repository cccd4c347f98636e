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
        parser.add_argument("--source", action="append", help="read this source alone, by its id, and judge nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        """Gather, and judge what is due in between; who reads some sources leaves the judging to who reads all."""
        only = frozenset(options["source"] or ())
        gather(once=options["once"], chore=None if only else lambda: judge_due(now_ms()), only=only)
