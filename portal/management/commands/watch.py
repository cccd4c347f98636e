"""`manage.py watch`: the second trigger of everything that is due. Needs the database alone, no broker and no worker."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal import jobs, loops


class Command(BaseCommand):
    """Ends what is due, sends what waits, holds the targets' watchdogs, until it is told to stop."""

    help = "Do what is due, without a broker, until SIGTERM."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which jobs; all by default."""
        names = ", ".join(job.name for job in jobs.watched())
        parser.add_argument("--only", nargs="+", metavar="JOB", default=[], help=f"of: {names}")

    def handle(self, *args: Any, only: list[str], **options: Any) -> None:
        """Run until stopped."""
        chosen = [job for job in jobs.watched() if not only or job.name in only]
        strange = sorted(set(only) - {job.name for job in chosen})
        if strange:
            raise CommandError(f"No such job: {', '.join(strange)}.")
        loops.run(chosen, process="watch", at_end=jobs.AT_END)
