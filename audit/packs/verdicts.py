"""What completeness said of a case, in sentences: complete, or exactly what is missing."""

from dataclasses import dataclass

from audit.cases.case import Case

SAYS = {
    "complete": ("Complete", "Every line that the target's log numbered for this use was read, and each is there once."),
    "reconciled": ("Reconciled", "The source numbers nothing; the target's own count and the records that were read are equal."),
    "gap": ("Not complete: records are missing", "What is missing is named here; it was done on the target, or lost, unseen."),
    "pending": ("Not judged yet", "Records may still come from the target. A later dossier, or the case's page, says what became of it."),
    "unknown": ("Unknown whether it is complete", "Nobody can tell from the source whether all records were read."),
    "not covered": ("Not covered", "No source reports what is done here, so silence means nothing."),
    "": ("Nothing was opened", "There is no use of the target on which anything could be said."),
}  # fmt: skip


@dataclass(frozen=True)
class Said:
    """A verdict as it is printed; ``missing`` names ranges of lines, ``reasons`` are completeness's own sentences."""

    kind: str
    title: str
    sentence: str
    missing: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


def said(case: Case) -> Said:
    """The weakest verdict of the case's sources with all that is missing."""
    kind = case.verdict
    title, sentence = SAYS[kind]
    missing = [each for verdict in case.verdicts for each in verdict.ranges]
    missing += [
        f"session {session.name}: {', '.join(session.ranges)}"
        for session in case.sessions
        if session.missing and session.ranges
    ]
    reasons = [each for verdict in case.verdicts for each in verdict.reasons]
    return Said(kind, title, sentence, tuple(dict.fromkeys(missing)), tuple(dict.fromkeys(reasons)))


def line(case: Case) -> str:
    """In one line, for a mail or a list: ``complete``, or what is missing."""
    words = said(case)
    return f"{words.kind}: {'; '.join(words.missing)}" if words.missing else words.kind or words.title.lower()
