"""Checks the whole log with the public key alone."""

from argparse import ArgumentParser
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from audit.log import tiles
from audit.log.checking import published
from audit.log.checkpoint import parse_checkpoint
from audit.log.errors import ParseError
from audit.log.examination import examine
from audit.log.examining_witnesses import Witnesses, asked
from audit.log.keys import load_verifiers
from audit.log.models import SealedEntry
from audit.log.note import VerifierKey
from audit.log.ranges import StoredNote
from audit.log.report import Report, as_json
from audit.log.tile_paths import parse_path
from audit.log.timestamps.taking import roots_or_none
from audit.log.verify import bar
from audit.log.verify.sources import Source
from audit.management.away import told

MOST_NAMED = 20
COULD_NOT_LOOK = 2
T = TypeVar("T")


class Command(BaseCommand):
    """Exit status 0: the log verifies. 1: it does not. 2: it, what is published of it, or what a witness saw could not be looked at."""

    help = (
        "Check every entry, checkpoint, tile, cosignature and personal value of the log,"
        " what is published of it, and what its witnesses have cosigned last."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How to answer, and what else the log must contain."""
        parser.add_argument("--json", action="store_true", help="the whole report as JSON")
        words = "a checkpoint kept elsewhere that the log must contain; may be given again"
        parser.add_argument("--checkpoint", action="append", default=[], type=Path, metavar="FILE", help=words)
        parser.add_argument("--quiet", action="store_true", help="show no bar")

    @told("Nothing was checked.", COULD_NOT_LOOK)
    def handle(self, *args: Any, json: bool, checkpoint: list[Path], quiet: bool, **options: Any) -> None:
        """Examine, print, and fail where something is at fault."""
        keys = _keys()
        witnesses = _witnesses(keys)  # asked first: meanwhile more may be sealed, and never less
        tell = bar.show if bar.wants_bar(quiet=quiet) else None
        seen = [_seen(path) for path in checkpoint]
        report = examine(keys, seen, _published(), roots_or_none(), witnesses=witnesses, tell=tell)
        told_of = [*sentences(report), *_answer(report, zip(checkpoint, seen, strict=True))]
        self.stdout.write(as_json(report) if json else "\n".join(told_of))
        if not report.ok:
            raise CommandError("The log does not verify.")
        if report.unreachable:
            raise not_checked("What is stored verifies. What is published was not checked.")
        if report.unseen:
            raise not_checked("The log verifies. What witnesses have cosigned could not be looked at.")


def not_checked(sentence: str) -> CommandError:
    """What ends the command where it could not look, which is no damage."""
    return CommandError(sentence, returncode=COULD_NOT_LOOK)


def sentences(report: Report) -> Iterator[str]:
    """The report for people."""
    yield f"{report.entries} entries under {report.checkpoints} checkpoints."
    if report.whole_from:
        yield (
            f"Whole from entry {report.whole_from} on; those before it were removed by a signed cut. "
            f"{report.stayed} of them stay, each under its hash."
        )
    if report.published is not None:
        yield _of_published(report.entries, report.published)
    if report.unreachable:
        yield f"What is published could not be looked at. {report.unreachable}"
    yield from report.sentences()
    yield from _places(report)
    yield from _of_witnesses(report)
    yield from report.notes()
    lost = f"; {report.personal_lost} did not come back with their entries" if report.personal_lost else ""
    yield f"{report.personal_held} personal values match their commitments; {report.personal_erased} were erased{lost}."
    if report.timestamps or report.timestamps_unverified:
        unverified = (
            f"; {report.timestamps_unverified} could not be verified, for PORTAL_TIMESTAMP_ROOTS names no certificates"
        )
        yield f"{report.timestamps} timestamps verify{unverified if report.timestamps_unverified else ''}."
    yield "1 event waits to be sealed." if report.waiting == 1 else f"{report.waiting} events wait to be sealed."


def _answer(report: Report, seen: Iterable[tuple[Path, StoredNote]]) -> Iterator[str]:
    """What an operator looks for, last; of what could not be looked at the command's end speaks."""
    if not report.ok:
        return
    yield from (f"Contained: {path}, the first {note.size} entries." for path, note in seen)
    if not (report.unreachable or report.unseen):
        yield f"WHOLE{f' from entry {report.whole_from} on' if report.whole_from else ''}."


def _of_published(stored: int, published: int) -> str:
    """What is published is read first: meanwhile more may be sealed, and never less."""
    if stored > published:
        return f"{published} entries were published when the check began; the other {stored - published} wait to be, or were sealed since."
    more = f", and {published - stored} of them are not stored" if published > stored else ""
    return f"{published} entries were published when the check began{more}."


def _of_witnesses(report: Report) -> Iterator[str]:
    """What is no damage: what they have cosigned and is stored, and what nothing could be said of."""
    yield from (f"Cosigned last, and stored: {each}." for each in report.witnessed)
    yield from (f"A witness shows nothing. {each}" for each in report.unshown)
    yield from (f"A witness could not be looked at. {each}" for each in report.unseen)
    if report.cosignatures_unlisted:
        yield f"{report.cosignatures_unlisted} cosignatures were not checked, for PORTAL_LOG_WITNESSES does not list their witnesses."


def _places(report: Report) -> Iterator[str]:
    """Each fault of which only the first is named above, with the entries that it touches; of each kind the first 20."""
    places = _indexes(report.personal_wrong[:MOST_NAMED])
    yield from _each("tile", report.wrong_tiles, _of_tile)
    yield from _each("columns", report.wrong_columns, lambda index: f"entry {index}")
    yield from _each(
        "personal value", report.personal_wrong, lambda named: f"{places.get(named, 'of no entry')}, {named}"
    )
    yield from _each("personal value that is gone", report.personal_missing, str, report.personal_missing_count)
    yield from _each(
        "cosignature", report.wrong_cosignatures, lambda named: f"{_below(int(named.split()[0]))}, {named}"
    )
    yield from _each("checkpoint", report.wrong_notes, _below)


def _each(kind: str, found: Sequence[T], place: Callable[[T], str], count: int = 0) -> Iterator[str]:
    yield from (f"- {kind}: {place(each)}" for each in found[:MOST_NAMED])
    if (count or len(found)) > MOST_NAMED:
        yield f"- {kind}: {(count or len(found)) - MOST_NAMED} more"


def _of_tile(path: str) -> str:
    tile = parse_path(path)
    height = tiles.HEIGHT * (tile.level or 0)
    first = tile.index * tiles.WIDTH << height
    return f"entries {first} to {first + (tile.width << height) - 1}, {path}"


def _below(size: int) -> str:
    return f"entries 0 to {size - 1}"


def _indexes(named: Sequence[str]) -> dict[str, str]:
    """The entries of personal values, which are named by their event."""
    events = {each: each.split()[0] for each in named}
    rows = SealedEntry.objects.filter(event_id__in=events.values()).values_list("event_id", "index")
    found = {str(event): index for event, index in rows}
    return {each: f"entry {found[event]}" for each, event in events.items() if event in found}


def _keys() -> tuple[VerifierKey, ...]:
    try:
        return load_verifiers(settings.PORTAL_LOG_PUBLIC_KEY)
    except ParseError as error:
        raise not_checked(f"PORTAL_LOG_PUBLIC_KEY cannot be read. {error}") from error


def _witnesses(keys: Sequence[VerifierKey]) -> Witnesses:
    try:
        return asked(settings.PORTAL_LOG_WITNESSES, keys)
    except ParseError as error:
        raise not_checked(f"PORTAL_LOG_WITNESSES cannot be read. {error}") from error


def _published() -> Source | None:
    try:
        return published()
    except ValueError as error:
        raise not_checked(f"PORTAL_LOG_STORE: {error}") from error


def _seen(path: Path) -> StoredNote:
    try:
        data = path.read_bytes()
        return StoredNote(parse_checkpoint(data).checkpoint.size, data, 0)
    except OSError as error:
        raise not_checked(f"{path} cannot be read: {error.strerror}.") from error
    except ParseError as error:
        raise not_checked(f"{path} is not a checkpoint. {error}") from error
