"""The dossier of a case as a PDF: who, why, every statement, and either complete or exactly what is missing."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain

import yaml

from audit.cases.case import Case
from audit.cases.done import Activity
from audit.cases.fold import fold, with_secret
from audit.cases.fold.grants import REPLACED
from audit.controls.loading import FOLDER
from audit.log.read import LoggedEvent
from audit.packs import case_lines, proofs, verdicts
from audit.packs.exports import activity_files, listed
from audit.packs.gone import sentence
from audit.packs.grown import since_before
from audit.packs.known import known_at
from audit.packs.position import Position, as_files
from audit.packs.printing import filled
from audit.packs.reading import how_many, ids_in, named, of_case, rest_of_case
from audit.packs.render import Attachment, Limits, Metadata, render_pdf

MOST_PRINTED = 2000
MOST_KEPT = 20_000
"""Entries of each crowd that a dossier holds: whoever repeats a statement must not fill the memory of the process that makes it."""
DONE = ("activity.recorded", "activity.outcome_learned")
CONNECTED = ("session.started", "session.ended", "session.refused")
STATEMENT_PRINTED = 4000  # characters; the attached file holds all that is kept
LIMITS = Limits(seconds=120)


class NoSuchCase(LookupError):
    """The log knows no such case; the text is a sentence for people."""


@dataclass(frozen=True)
class Paper:
    """A PDF that is not signed yet, and the case that it tells."""

    pdf: bytes
    case: Case


def made(case_id: str, occasion: str, position: Position, *, signed: bool, demo: bool) -> Paper:
    """Draw the dossier of a case as the log tells it up to a position.

    Raises:
        RenderFailed: the PDF cannot be made.
        NoSuchCase: the log knows no such case up to there.
    """
    events = _entries(position.size, case_id)
    replaced = _replaced(position.size, events)
    case = with_secret(fold(case_id, events), replaced)
    if case.asked is None:
        raise NoSuchCase(f"The log knows no case {case_id} up to position {position.size}.{sentence()}")
    known = known_at(position.size)
    names = case.by_names | known.people
    lines = [case_lines.as_line(each, case, event, names) for each, event in _activities(case, events)]
    told, grown = [*events, *replaced], since_before(position)
    proven = proofs.of_entries({each.index for each in told} | known.naming(ids_in(told)), position)
    files = [*activity_files(lines), *as_files(position), *grown.files, proven.file]
    context = _context(case, occasion, position, names, files, proven, signed=signed, demo=demo)
    html = filled("dossier.html", {**context, "grown": grown})
    return Paper(render_pdf(html, files, _metadata(case, occasion, position), limits=LIMITS), case)


def _entries(size: int, case_id: str) -> list[LoggedEvent]:
    """Those of the case by time; of what may be without end, the first."""
    told = rest_of_case(size, case_id, (*DONE, *CONNECTED))
    crowds = (of_case(size, case_id, names, MOST_KEPT) for names in (DONE, CONNECTED))
    return sorted(chain(told, *crowds), key=lambda event: (event.at, event.index))


def _replaced(size: int, events: Iterable[LoggedEvent]) -> list[LoggedEvent]:
    """What a custodian did with the secret of its grants: entries of the account."""
    grants = {str(event.fields["grant_id"]) for event in events if "grant_id" in event.fields}
    return [event for event in named(size, REPLACED) if event.fields.get("grant_id") in grants]


def _context(
    case: Case, occasion: str, position: Position, names: Mapping[str, str], files: Sequence[Attachment],
    proven: proofs.Proven, *, signed: bool, demo: bool,
) -> dict[str, object]:  # fmt: skip
    rows = dict.fromkeys(("activities.jsonl", "activities.csv"), len(case.activities))
    return {
        "title": _title(case), "case": case, "occasion": occasion, "names": names, "proof": position,
        "verdict": verdicts.said(case), "times": case_lines.times(case), "rows": case.activities[:MOST_PRINTED],
        "shown": min(len(case.activities), MOST_PRINTED), "total": len(case.activities), "limit": STATEMENT_PRINTED,
        "logged": max(how_many(position.size, case.id, DONE[:1]), len(case.activities)),
        "sessions_cut": how_many(position.size, case.id, CONNECTED) > MOST_KEPT,
        "alerts": case.alerts, "answers": answered(case), "attachments": listed(files, rows | {proofs.NAME: proven.proved}), "proven": proven,
        "signed": signed, "demo": demo,
    }  # fmt: skip


def _title(case: Case) -> str:
    return f"Dossier of case {case.id}"


def _metadata(case: Case, occasion: str, position: Position) -> Metadata:
    seed = f"dossier {case.id} {occasion} {position.size} {position.root}"
    return Metadata(
        _title(case), "Breakglass Portal", f"One use of access, {occasion}, at log position {position.size}", position.at,
        hashlib.sha256(seed.encode()).hexdigest(),
    )  # fmt: skip


def _activities(case: Case, events: Iterable[LoggedEvent]) -> list[tuple[Activity, LoggedEvent | None]]:
    """In order of time on the target, each with its entry."""
    by_id = {str(each.id): each for each in events}
    ordered = sorted(case.activities, key=lambda each: (each.at, each.session_id, each.number, each.id))
    return [(each, by_id.get(each.event_id)) for each in ordered]


def answered(case: Case) -> list[tuple[str, str, str]]:
    """Number, question and answer."""
    given = case.review.answers if case.review else ()
    return [(number, questions().get(number, "a question of another version"), answer) for number, answer in given]


@cache
def questions() -> dict[str, str]:
    """The catalogue's questions by their number."""
    stored = yaml.safe_load((FOLDER / "review_questions.yaml").read_text(encoding="utf-8"))
    return {each["id"]: each["ask"] for each in stored["post_use"]}
