"""Import a personnel list at the command line: say what it would do, and do it where told to."""

import json
from argparse import ArgumentTypeError
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.log.append import LogUnavailable, Refused, process
from audit.management.away import told
from portal.clock import now
from portal.personnel import actions, words
from portal.personnel.models import PersonnelList
from portal.personnel.plan import Plan, plan_of
from portal.personnel.reading import LARGEST, BrokenList, parse_list

BY = process("import_personnel")


class Command(BaseCommand):
    """Without ``--confirm`` nothing is changed and nothing is kept. Exit status 1: it was refused, and nothing was done."""

    help = "Import a personnel list (CSV): who is not on it has left; who moved to another unit leaves their lists."

    def add_arguments(self, parser: CommandParser) -> None:
        """The file, where it comes from, and whether to do it."""
        parser.add_argument("file", type=Path, help="CSV in UTF-8 with the columns email and name")
        parser.add_argument(
            "--query", required=True, help="how the list was taken: the query, or the name of the report"
        )
        parser.add_argument(
            "--taken-at", type=_moment, default=None, help="when, as 2026-11-30T06:00+00:00; default: now"
        )
        parser.add_argument("--confirm", action="store_true", help="do it; without, it is only said what would be done")
        parser.add_argument(
            "--leavers", type=int, default=None, help="where more than a fifth would leave: how many they are"
        )
        parser.add_argument("--json", action="store_true", help="for machines")

    @told("Nothing was done.")
    def handle(self, *args: Any, **options: Any) -> None:
        """Read, say, and do."""
        content = _content(options["file"])
        try:
            plan = plan_of(parse_list(content))
            if options["confirm"]:
                self._import(content, plan, options)
        except BrokenList as broken:
            raise CommandError("\n".join([*broken.sentences, "Nothing was done."])) from broken
        except Refused as refusal:
            raise CommandError(refusal.sentence) from refusal
        except LogUnavailable as error:
            raise CommandError("The log cannot be written, so nothing was done.") from error
        self._say(plan, done=options["confirm"], as_json=options["json"])

    def _import(self, content: bytes, plan: Plan, options: dict[str, Any]) -> PersonnelList:
        row = actions.read(by=BY, content=content, query=options["query"], taken_at=options["taken_at"] or now())
        try:
            return actions.confirm(by=BY, row=row, shown=plan.fingerprint, leavers=options["leavers"])
        except Refused:
            actions.discard(by=BY, row=row)  # nobody is there who would decide on it later
            raise

    def _say(self, plan: Plan, *, done: bool, as_json: bool) -> None:
        said = list(words.sentences(plan))
        counts = plan.counts() | {"unchanged": plan.unchanged}
        if as_json:
            self.stdout.write(
                json.dumps({"done": done, **counts, "sentences": [{"kind": kind, "text": text} for kind, text in said]})
            )
            return
        for _, text in said:
            self.stdout.write(text)
        self.stdout.write(
            f"{counts['leavers']} left, {counts['movers']} moved, {counts['unchanged']} of {counts['people']} stay as they are; "
            f"{counts['joiners']} of the list are not in the portal."
        )
        self.stdout.write("Done." if done else "Nothing was done: --confirm does it.")


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST:
            raise CommandError(f"The file is larger than {LARGEST // 1_000_000} megabytes.")
        return path.read_bytes()
    except OSError as error:
        raise CommandError(f"The file cannot be read: {error.strerror}.") from error


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError("a moment such as 2026-11-30T06:00+00:00") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
