"""The list of cases as rows of a file: what the page shows, and the ids."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice

from django.db.models import QuerySet

from audit.cases import queries
from audit.cases.models import CaseRow
from audit.cases.presenters import name_of

COLUMNS = (
    "case", "asked_at", "system", "privilege", "person_id", "person", "mode", "status", "record", "opened_at", "over_at", "actions",
    "more_than_counted", "failed", "out_of_intent", "open_findings",
)  # fmt: skip
AT_ONCE = 500


def lines(rows: QuerySet[CaseRow]) -> Iterator[tuple[object, ...]]:
    """Each case once. Names are read from the log, some hundred cases at once."""
    each = rows.iterator(chunk_size=AT_ONCE)
    while part := list(islice(each, AT_ONCE)):
        names = queries.names_in(part)
        for row in part:
            yield (
                row.case, _moment(row.asked_at), row.system, row.privilege, row.responder_id, name_of(row.responder_id, names), row.mode,
                row.status, row.verdict, _moment(row.opened_at), _moment(row.over_at), row.activities, row.cut, row.failed, row.outside,
                row.findings,
            )  # fmt: skip


def _moment(at: int | None) -> datetime | None:
    return None if at is None else datetime.fromtimestamp(at / 1000, UTC)
