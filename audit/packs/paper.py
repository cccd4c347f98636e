"""The period pack as a PDF that is not signed yet: what is printed, what is attached."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from audit.cases.case import Case
from audit.cases.done import FAILED
from audit.facts.schema import write_file
from audit.log.ranges import RangeResult
from audit.packs import proofs, results, verdicts
from audit.packs.chart import chart
from audit.packs.completeness import VERDICTS, by_source
from audit.packs.evidence import Evidence
from audit.packs.exports import AttachedFile, Line, activity_files, listed
from audit.packs.filters import word
from audit.packs.gone import gone_of
from audit.packs.grown import since_before
from audit.packs.position import as_files
from audit.packs.printing import filled
from audit.packs.render import Attachment, Limits, Metadata, draw, lay_ready

MOST_ACTIVITIES = 2000
STATEMENT_PRINTED = 300  # characters; the attached files hold all that is kept
LIMITS = Limits(seconds=600)


@dataclass(frozen=True)
class Request:
    """Who asked for the pack, when (ms), and why; ``profile`` names how it is redacted."""

    pack_id: str
    asked_by: str
    asked_at: int
    purpose: str
    profile: str = "standard"


@dataclass(frozen=True)
class Ready:
    """A pack that lies ready in a folder, to be drawn; all else that is to be said of it, so that its evidence can go.

    ``unproved``: how many ranges of the log did not verify.
    """

    folder: Path
    files: tuple[AttachedFile, ...]
    tests: tuple[results.PrintedTest, ...]
    catalogue_sha256: str
    cases: int
    activities: int
    unproved: int


@dataclass(frozen=True)
class Paper:
    """The PDF with what the log and the pack's page say of it."""

    pdf: bytes
    pages: int
    files: tuple[AttachedFile, ...]

    def sha256(self, name: str) -> str:
        """Hash of an attached file."""
        return next(each.sha256 for each in self.files if each.name == name)


@dataclass(frozen=True)
class PrintedCase:
    """A case with what completeness says of it."""

    case: Case
    verdict: verdicts.Said
    classes: tuple[tuple[str, int], ...] = field(default=())


def ready(evidence: Evidence, request: Request, folder: Path, *, signed: bool, demo: bool) -> Ready:
    """Lay a pack ready in the folder. Drawing takes memory of its own: let go of the evidence before."""
    proven, grown = proofs.of_pack(evidence, folder), since_before(evidence.position)
    files = [*attachments(evidence, folder), *grown.files, proven.file]
    rows = dict.fromkeys(("activities.jsonl", "activities.csv"), len(evidence.lines))
    shown = tuple(listed(files, rows | {proofs.NAME: proven.proved, "tests.sql": len(evidence.results)}))
    html = filled(
        "pack.html", {**context(evidence, request, shown, signed=signed, demo=demo), "proven": proven, "grown": grown}
    )
    lay_ready(folder, html, files, _metadata(evidence, request), LIMITS)
    return Ready(
        folder, shown, evidence.tests, evidence.catalogue.sha256, len(evidence.cases), len(evidence.lines),
        len(_unproved(evidence)),
    )  # fmt: skip


def drawn(made_ready: Ready) -> Paper:
    """Draw the pack. The same evidence and request give the same bytes.

    Raises:
        RenderFailed: a limit was reached, or Pango is missing.
    """
    done = draw(made_ready.folder)
    return Paper(done.pdf, done.pages, made_ready.files)


def attachments(evidence: Evidence, folder: Path) -> list[Attachment]:
    """Everything that lies inside the PDF beside its pages and its proofs; what is large lies in the folder."""
    facts = folder / "facts"
    write_file(evidence.db, facts)
    return [
        Attachment("facts.sqlite", facts, "application/vnd.sqlite3", "The facts that every test read, for any SQLite shell"),
        Attachment("tests.sql", results.sql_file(evidence.results), "application/sql", "Every query that ran, as it ran", "Source"),
        *activity_files(evidence.lines, folder),
        *as_files(evidence.position),
    ]  # fmt: skip


def context(
    evidence: Evidence, request: Request, files: Sequence[AttachedFile], *, signed: bool, demo: bool
) -> Mapping[str, object]:
    """What the template prints."""
    known, scope = evidence.known, evidence.scope
    ordered = ordered_lines(evidence)
    used = [case for case in evidence.cases if case.grant and case.grant.opened_at is not None]
    return {
        "request": request,
        "scope": {"start": scope.start, "end": scope.end, "last": scope.end - 1},
        "as_of": evidence.as_of,
        "unfinished": evidence.as_of < scope.end,
        "gone": gone_of(evidence.cuts, scope.start, scope.end),
        "systems": sorted(known.systems.get(each, each) for each in scope.systems),
        "names": known.people,
        "proof": evidence.position,
        "attachments": files,
        "signed": signed,
        "demo": demo,
        "catalogue": evidence.catalogue,
        "catalogue_files": sorted(evidence.catalogue.files.items()),
        "tally": results.tally(evidence.results),
        "total_tests": len(evidence.results),
        "worst": results.worst_first(evidence.tests),
        "matrices": results.matrices(evidence.catalogue, scope.frameworks, evidence.results),
        "tests": evidence.tests,
        "carried": evidence.carried,
        "parameters": evidence.catalogue.parameters.values(),
        "completeness": by_source(evidence.db, evidence.windows, known, scope.systems),
        "verdicts": VERDICTS,
        "ranges": evidence.ranges,
        "bad_ranges": _unproved(evidence),
        "chart": chart(used, scope.start, scope.end, evidence.as_of, known.people),
        "used": [PrintedCase(each, verdicts.said(each)) for each in used],
        "cases": [PrintedCase(each, verdicts.said(each), _classes(each)) for each in evidence.cases],
        "activities": [printed_line(each, evidence.deviating) for each in ordered[:MOST_ACTIVITIES]],
        "activities_total": len(ordered),
        "activities_shown": min(len(ordered), MOST_ACTIVITIES),
        "limit": STATEMENT_PRINTED,
    }


def ordered_lines(evidence: Evidence) -> list[Line]:
    """Failed and deviating activities first, then those that were not intended, each in order of time."""

    def place(line: Line) -> tuple[int, int]:
        if line["outcome"] in FAILED or line["activity_id"] in evidence.deviating:
            return 0, line["at"]
        return 1 if line.get("not_intended") else 2, line["at"]

    return sorted(evidence.lines, key=place)


def printed_line(line: Line, odd: Collection[str]) -> Line:
    """A line with its class, outcome and marks in words; what needs a look is set apart."""
    deviates = line["activity_id"] in odd
    words = [word(line["class"]) + (" (at least)" if line.get("at_least") else ""), word(line["outcome"])]
    words += [str(line["state_code"])] if line.get("state_code") not in (None, "", "00000") else []
    words += ["not intended"] if line.get("not_intended") else []
    words += ["deviates"] if deviates else []
    failed = line["outcome"] in FAILED
    return {**line, "marks": ", ".join(words), "odd": deviates or failed or bool(line.get("not_intended"))}


def _unproved(evidence: Evidence) -> list[RangeResult]:
    """Ranges of the log that did not verify as the pack was made."""
    return [each for each in evidence.ranges if not each.ok]


def _classes(case: Case) -> tuple[tuple[str, int], ...]:
    counts: dict[str, int] = {}
    for each in case.activities:
        counts[each.class_] = counts.get(each.class_, 0) + 1
    return tuple(sorted(counts.items()))


def _metadata(evidence: Evidence, request: Request) -> Metadata:
    scope, position = evidence.scope, evidence.position
    seed = f"pack {request.pack_id} {scope} {position.size} {position.root}"
    return Metadata(
        "Evidence pack: emergency access", "Breakglass Portal",
        f"Emergency access, at log position {position.size}, root {position.root}", position.at,
        hashlib.sha256(seed.encode()).hexdigest(),
    )  # fmt: skip
