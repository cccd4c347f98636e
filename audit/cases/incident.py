"""One incident: all of its cases that a viewer may see, with one timeline. Rows come from the list, what is told from the log itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from audit.cases.inert import one_line
from audit.cases.models import CaseRow
from audit.cases.page import QUIET
from audit.cases.presenters import PRESENTERS, Line, line, name_of, people_in
from audit.cases.queries import names_in
from audit.cases.status import STATUSES, VERDICTS
from audit.log.read import of_cases, person_names

MOST_CASES, MOST_LINES = 50, 1_000
LEFT_OUT = ("activity.", *QUIET)
"""What was done is told by each case, in full; alerts and looks too."""
TOLD = tuple(name for name in PRESENTERS if not name.startswith(LEFT_OUT))


@dataclass(frozen=True)
class Told:
    """One entry, and of which case it is."""

    line: Line
    case: str
    place: str


def context(rows: Sequence[CaseRow]) -> dict[str, Any]:
    """What the page of an incident shows of its cases. A constant number of statements, however many there are."""
    cut, rows = len(rows) > MOST_CASES, rows[:MOST_CASES]
    names = names_in(rows)
    lines = timeline(rows, names)
    return {
        "ref": one_line(rows[0].incident, 80), "cases": [_case(row, names) for row in rows], "lines": lines[-MOST_LINES:],
        "cut": cut, "older": len(lines) > MOST_LINES, "figures": figures(rows),
    }  # fmt: skip


def timeline(rows: Sequence[CaseRow], names: dict[str, str]) -> list[Told]:
    """Their entries by time, but for what each case tells in full; of more than a page shows the newest, and one more."""
    places = {row.case: f"{one_line(row.privilege, 60)} on {one_line(row.system, 60)}" for row in rows}
    events = of_cases(places, TOLD, limit=MOST_LINES + 1)
    known = {event.by: event.personal["by_name"] for event in events if "by_name" in event.personal}
    called = names | known | person_names(people_in(events))
    return [Told(line(event, called), event.case, places[event.case]) for event in events]


def figures(rows: Sequence[CaseRow]) -> list[dict[str, Any]]:
    """Four figures over all of them."""
    is_open = sum(row.status in ("open", "closing") for row in rows)
    return [
        {"label": "People", "value": len({row.responder_id for row in rows}), "note": f"on {len({row.system_id for row in rows})} systems"},
        {"label": "Open", "value": is_open, "note": f"of {len(rows)} in all", "tone": "glass" if is_open else ""},
        {"label": "Actions", "value": sum(row.activities for row in rows),
         "note": f"{sum(row.failed for row in rows)} failed, {sum(row.outside for row in rows)} out of intent"},
        {"label": "Findings", "value": sum(row.findings for row in rows), "note": "that are not closed"},
    ]  # fmt: skip


def _case(row: CaseRow, names: dict[str, str]) -> dict[str, Any]:
    return {
        "row": row, "system": one_line(row.system), "privilege": one_line(row.privilege), "status": STATUSES[row.status],
        "verdict": VERDICTS.get(row.verdict), "who": name_of(row.responder_id, names),
    }  # fmt: skip
