"""Restores a backup into an empty database."""

import json
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from audit.log.addresses import spoken
from audit.log.backup.configured import NotConfigured, identities_in, signers_of_backups, target_at
from audit.log.backup.missing import Lacking
from audit.log.backup.restoring import NotRestored, Restored, restore
from audit.log.checkpoints import public_keys
from audit.log.errors import NotVerified
from audit.log.held_again import SAID
from audit.log.pages import ROUTINE
from audit.log.stores import StoreUnavailable
from audit.log.stores.opening import open_store
from audit.management.away import told

SOMETHING_IS_MISSING, NOBODY_CAN_SAY, DAMAGED = 3, 4, 5


class Command(BaseCommand):
    """Exit status 0: restored, and the published log holds no more. 3: restored, and something is missing, as printed.

    4: restored, and without a published log nobody can say what is missing. 5: restored with --damaged, and it does not verify, as printed.
    1: nothing was restored.
    """

    help = "Restore a backup into the empty database of DATABASE_URL, verify it, and say what is missing since."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """From where, with which key, and what it is held against."""
        parser.add_argument("--from", dest="address", required=True, metavar="DIR|s3://…")
        parser.add_argument("--identity", required=True, type=Path, metavar="FILE", help="the secret key of age")
        parser.add_argument("--backup", default="", metavar="ID", help="an earlier one than the last")
        words = "also where the published log says that a later one was made"
        parser.add_argument("--older", action="store_true", help=words)
        words = "also where the check of it names what was amiss beside the log when it was backed up"
        parser.add_argument("--damaged", action="store_true", help=words)
        words = "the published log, to say what was sealed after the backup; PORTAL_LOG_STORE where it is set"
        parser.add_argument("--published", default=settings.PORTAL_LOG_STORE, metavar="DIR|s3://…", help=words)
        parser.add_argument("--json", dest="as_json", action="store_true", help="for machines")

    @told("Nothing was restored.")
    def handle(
        self, *args: Any, address: str, identity: Path, backup: str, published: str, older: bool, damaged: bool,
        as_json: bool, **options: Any,
    ) -> None:  # fmt: skip
        """Restore, and print what was found."""
        try:
            found = restore(
                target_at(address), identities_in(identity), signers_of_backups(), public_keys(),
                published=open_store(published) if published else None, backup=backup, older=older,
                damaged=damaged,
            )  # fmt: skip
        except (NotConfigured, NotRestored, NotVerified, StoreUnavailable, ValueError) as error:
            raise CommandError(f"Nothing was restored. {spoken(str(error))}") from error
        self.stdout.write(json.dumps(figures(found)) if as_json else "\n".join(map(spoken, sentences(found))))
        if not found.report.ok:
            raise CommandError("Restored as it was, and it does not verify.", returncode=DAMAGED)
        if found.missing.count:
            raise CommandError("Restored, and not everything is there.", returncode=SOMETHING_IS_MISSING)
        if not found.missing.asked:
            raise CommandError("Restored, and nobody can say what is missing.", returncode=NOBODY_CAN_SAY)


def figures(found: Restored) -> dict[str, Any]:
    """What was restored and what is missing, for machines; times are ms since 1970 UTC. Where nobody was asked, nothing is known of what is missing."""
    return {
        "id": found.manifest.id, "made_at": found.manifest.made_at, "size": found.manifest.size, "root": found.root,
        "rows": found.rows, "values": found.values, "left_out": found.left_out, "cleared": found.cleared,
        "erased": len(found.missing.erasures) + len(found.missing.people), "asked": found.missing.asked,
        "missing": [vars(each) for each in found.missing.entries],
    }  # fmt: skip


def sentences(found: Restored) -> Iterator[str]:
    """What was restored and what is missing, for people."""
    yield f"Restored {found.manifest.id}, as of {_time(found.manifest.made_at)}: {found.manifest.size} entries, root {found.root}."
    yield from found.report.sentences()
    yield f"{found.left_out} personal values of the backup were erased since they were copied, and stay erased."
    if found.missing.people:
        yield f"{len(found.missing.people)} people were erased since the backup; {found.cleared} rows of the portal were cleared of them again."
    yield from found.missing.sentences()
    yield from named(found.missing.entries)


def named(lacking: Sequence[Lacking]) -> Iterator[str]:
    """Legal holds first, since they bind; then the others in their order. What nobody did is counted."""
    routine = [each for each in lacking if each.name in ROUTINE]
    for each in sorted((each for each in lacking if each.name not in ROUTINE), key=lambda each: each.name not in SAID):
        yield f"- {each.index} {each.name}, {_time(each.at)}{f', case {each.case}' if each.case else ''}"
    if routine:
        yield f"- {len(routine)} of routine, such as heartbeats, from {routine[0].index} to {routine[-1].index}; --json names each."


def _time(milliseconds: int) -> str:
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
