"""What was done on the target, as rows of a page: failed ones first, then those outside the intent."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from audit.cases import error_codes, words
from audit.cases.case import Case
from audit.cases.done import Activity
from audit.cases.inert import inert, one_line
from audit.cases.reading import with_statements

SHOWN = 200
TICKED_AT_MOST = 900
"""A form sends at most 1,000 fields."""
FOLDED_FROM = 12
"""So many actions stand open in any case."""
LONGEST = 4_000
TONES = {"failed": ("attention", "alert-triangle"), "denied": ("attention", "ban"), "ok": ("good", "check")}


@dataclass(frozen=True)
class Row:
    """One action."""

    id: str
    index: int | None
    at: int
    session: str
    number: int
    kind: str
    at_least: bool
    outcome: str
    tone: str
    icon: str
    state_code: str
    statement: str
    left_out: int
    object: str
    outside: bool
    accepted: bool
    ticked: bool
    has_failed: bool

    @property
    def is_long(self) -> bool:
        """Whether its beginning is shown first."""
        return len(self.statement) > 600


def chosen(case: Case, only: str) -> list[Activity]:
    """All actions, or only the failed ones, or only those outside the intent."""
    keep = {"failed": lambda each: each.failed, "outside": lambda each: each.outside}.get(only)
    return [each for each in case.activities if keep is None or keep(each)]


def rows(case: Case, activities: Sequence[Activity], ticked: Collection[str] = ()) -> list[Row]:
    """Actions with their statements; text is inert. One query."""
    return rows_named({session.id: session.name for session in case.sessions}, activities, ticked)


def rows_named(names: Mapping[str, str], activities: Sequence[Activity], ticked: Collection[str] = ()) -> list[Row]:
    """The same, with the names of their sessions."""
    return [
        _row(each, names.get(each.session_id, each.session_id[:8]), each.id in ticked)
        for each in with_statements(activities)
    ]


def first_rows(case: Case, *, tick: bool = False, ticked: Collection[str] = ()) -> list[Row]:
    """The first 200. Where they are to be ticked, all outside the intent come first, so that each can be."""
    if not tick:
        return rows(case, case.activities[:SHOWN])
    outside = [each for each in case.activities if each.outside][:TICKED_AT_MOST]
    others = [each for each in case.activities if not each.outside]
    return rows(case, [*outside, *others[: max(0, SHOWN - len(outside))]], ticked)


def folded(rows: Sequence[Row], *, fold: bool) -> tuple[list[Row], list[Row]]:
    """What stands open, and what is read on demand: failed actions and those outside the intent are never folded."""
    if not fold or len(rows) <= FOLDED_FROM:
        return list(rows), []
    open_ones = [each for each in rows if each.outside or each.has_failed]
    others = [each for each in rows if not (each.outside or each.has_failed)]
    first = 0 if open_ones else FOLDED_FROM
    return [*open_ones, *others[:first]], others[first:]


def tabs(case: Case, only: str) -> list[dict[str, object]]:
    """The ways to narrow them, each with its count."""
    known = (
        ("", "All", len(case.activities)),
        ("failed", "Failed", case.failed_count),
        ("outside", (case.unnamed or "out of intent").capitalize(), len(chosen(case, "outside"))),
    )
    return [
        {"label": label, "url": f"?only={word}" if word else "?", "active": only == word, "count": count}
        for word, label, count in known
    ]


def _row(each: Activity, session: str, ticked: bool) -> Row:
    tone, icon = TONES.get(each.outcome, ("quiet", "help-circle"))
    text = inert(each.statement[:LONGEST])
    length = each.length if each.length is not None else len(each.statement)
    return Row(
        each.id, each.index, each.at, one_line(session), each.number, words.CLASSES.get(each.class_, words.plain(each.class_)), each.at_least,
        words.OUTCOMES.get(each.outcome, words.plain(each.outcome)), tone, icon, error_codes.in_words(one_line(each.state_code)) if each.failed else "", text,
        max(0, length - len(each.statement[:LONGEST])), one_line(each.object, 120), each.outside, each.accepted, ticked, each.failed,
    )  # fmt: skip
