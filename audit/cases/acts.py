"""What was done in one use, however much it is: counted and grouped in the database, read page by page from a key onward.

Times are milliseconds since 1970 UTC. The list follows the sealed log (`acts_following`); what is shown of an action is read from the log itself.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from audit.cases.acts_following import PLACE
from audit.cases.done import ALWAYS_IN, Accepted, Activity
from audit.cases.fold import fold
from audit.cases.models import ActRow, ActSession, CaseListPosition
from audit.log.logged import COLUMNS as READ
from audit.log.logged import events_of
from audit.log.models import Event
from audit.log.read import of_case, size

GROUPS, ROWS = 25, 50
TELLING = (
    "request.made",
    "request.supplemented",
    "review.acts_accepted",
    "review.acceptance_taken_back",
    "review.submitted",
)
ATTENTION = "attention"
Cursor = tuple[int, ...]


@dataclass(frozen=True)
class Use:
    """What the counting of one use rests on."""

    case: str
    intended: frozenset[str]
    accepted: Accepted = field(default_factory=Accepted)
    named: bool = True

    @property
    def outside_says(self) -> str:
        """What is said of actions of a kind that was not named; where none was, there is no intent that they could be out of."""
        return "out of intent" if self.named else "with no intent named"


@dataclass(frozen=True)
class Totals:
    """Counts of a use, or of a part of it; ``upto`` is the last entry of the log that is counted (-1: none), ``behind`` how many the list has not followed."""

    all: int
    failed: int
    outside: int
    accepted: int
    upto: int
    behind: int

    @property
    def open(self) -> int:
        """Outside the intent and not accepted."""
        return self.outside - self.accepted


@dataclass(frozen=True)
class Group:
    """Actions of one class in one session."""

    session_id: str
    session: str
    kind: str
    count: int
    failed: int
    outside: bool
    accepted: int
    first_at: int
    last_at: int
    cursor: str

    @property
    def open(self) -> int:
        """Outside the intent and not accepted."""
        return self.count - self.accepted if self.outside else 0


def use_of(case: object) -> Use:
    """The use, with what was intended and what is accepted. One statement, however much was done."""
    told = fold(case, of_case(case, TELLING))
    classes = told.asked.classes if told.asked else ()
    named = told.asked is None or bool(classes)
    return Use(str(case), ALWAYS_IN.union(classes), told.accepted, named)


# Actions with the last entry up to which their group is accepted: of their session, or of all.
ACTS = """
audit_act_row r
LEFT JOIN (SELECT session, kind, max(upto) AS upto FROM unnest(%(sessions)s::text[], %(kinds)s::text[], %(uptos)s::bigint[])
  AS g(session, kind, upto) GROUP BY 1, 2) own ON own.session = r.session_id AND own.kind = r.kind
LEFT JOIN (SELECT session, kind, max(upto) AS upto FROM unnest(%(sessions)s::text[], %(kinds)s::text[], %(uptos)s::bigint[])
  AS g(session, kind, upto) GROUP BY 1, 2) each ON each.session = '' AND each.kind = r.kind
"""
IS_ACCEPTED = "(r.activity_id = ANY(%(ids)s) OR r.index <= greatest(own.upto, each.upto))"
TOTALS = f"""
SELECT count(*), count(*) FILTER (WHERE NOT held), count(*) FILTER (WHERE NOT r.kind = ANY(%(intended)s)),
  count(*) FILTER (WHERE NOT r.kind = ANY(%(intended)s) AND {IS_ACCEPTED}), coalesce(max(index), -1)
FROM {ACTS} WHERE r."case" = %(case)s AND (%(session)s = '' OR r.session_id = %(session)s) AND (%(kind)s = '' OR r.kind = %(kind)s)
"""  # noqa: S608 - constants of this module
# One scan for the counts of the whole use and for a page of its groups.
SELECT_GROUPS = f"""
WITH groups AS MATERIALIZED (
  SELECT session_id, r.kind, count(*) AS many, count(*) FILTER (WHERE NOT held) AS bad, NOT r.kind = ANY(%(intended)s) AS outside,
    count(*) FILTER (WHERE NOT r.kind = ANY(%(intended)s) AND {IS_ACCEPTED}) AS accepted, min(at) AS first_at, max(at) AS last_at,
    CASE WHEN count(*) FILTER (WHERE NOT held) > 0 THEN 0 WHEN NOT r.kind = ANY(%(intended)s) THEN 1 ELSE 2 END AS rank,
    min(index) AS first_index, max(index) AS last_index
  FROM {ACTS} WHERE r."case" = %(case)s GROUP BY r.session_id, r.kind
), whole AS (
  SELECT coalesce(sum(many), 0) AS everything, coalesce(sum(bad), 0) AS failed, coalesce(sum(many) FILTER (WHERE outside), 0) AS outside,
    coalesce(sum(accepted), 0) AS accepted, coalesce(max(last_index), -1) AS upto, count(*) AS groups FROM groups
)
SELECT whole.*, page.* FROM whole LEFT JOIN (
  SELECT * FROM groups WHERE (rank, first_at, first_index) > (%(rank)s, %(first_at)s, %(first_index)s)
  ORDER BY rank, first_at, first_index LIMIT %(limit)s
) page ON true ORDER BY rank, first_at, first_index
"""  # noqa: S608 - constants of this module
SELECT_ROWS = """
SELECT {columns} FROM audit_act_row r WHERE "case" = %(case)s {narrowed} AND (held, at, index) > (%(held)s, %(at)s, %(index)s)
ORDER BY held, at, index LIMIT %(limit)s
"""
COLUMNS = [each.attname for each in ActRow._meta.concrete_fields]


def totals(use: Use, *, session: str = "", kind: str = "") -> Totals:
    """Counts of one session, class or both. Three statements."""
    with connection.cursor() as cursor:
        cursor.execute(TOTALS, _given(use) | {"session": session, "kind": kind})
        counts = cursor.fetchone()
    return _totals(counts)


def _totals(counts: Sequence[int]) -> Totals:
    place = CaseListPosition.objects.filter(pk=PLACE).values_list("next_index", flat=True).first() or 0
    everything, failed, outside, accepted, upto = (int(each) for each in counts)
    return Totals(everything, failed, outside, accepted, upto, max(0, size() - place))


@dataclass(frozen=True)
class Grouped:
    """Counts of the whole use, a page of its groups, the key of the next page, and how many groups there are in all."""

    totals: Totals
    groups: tuple[Group, ...]
    next: str
    many: int


def grouped(use: Use, after: str = "") -> Grouped:
    """Groups from a key onward, those with failed actions first, then those outside the intent. Four statements."""
    rank, first_at, first_index = cursor_of(after, 3) or (-1, 0, 0)
    given = _given(use) | {"rank": rank, "first_at": first_at, "first_index": first_index, "limit": GROUPS + 1}
    with connection.cursor() as cursor:
        cursor.execute(SELECT_GROUPS, given)
        found = cursor.fetchall()
    rows = [row[6:] for row in found if row[6] is not None]
    names = _session_names(use.case, {row[0] for row in rows[:GROUPS]})
    shown = tuple(_group(row, names) for row in rows[:GROUPS])
    return Grouped(_totals(found[0][:5]), shown, shown[-1].cursor if len(rows) > GROUPS else "", int(found[0][5]))


def _group(row: Sequence[Any], names: Mapping[str, str]) -> Group:
    session, kind, many, bad, outside, accepted, first_at, last_at, rank, first_index, _ = row
    key = f"{rank}-{first_at}-{first_index}"
    return Group(session, names.get(session, session[:8]), kind, many, bad, outside, accepted, first_at, last_at, key)


def rows_of(
    use: Use, *, session: str = "", kind: str = "", only: str = "", after: str = ""
) -> tuple[list[ActRow], str]:
    """Actions from a key onward, failed ones first; and the key of the next page. One statement.

    ``session`` and ``kind`` narrow them to a group; ``only="attention"`` to those that failed or are outside the intent.
    """
    held, at, index = cursor_of(after, 3) or (0, -1, -1)
    narrowed = ("AND session_id = %(session)s " if session else "") + ("AND kind = %(kind)s " if kind else "")
    if only == ATTENTION:
        narrowed += "AND (NOT held OR NOT kind = ANY(%(intended)s))"
    given = _given(use) | {
        "session": session,
        "kind": kind,
        "held": bool(held),
        "at": at,
        "index": index,
        "limit": ROWS + 1,
    }
    statement = SELECT_ROWS.format(columns=", ".join(f'r."{name}"' for name in COLUMNS), narrowed=narrowed)
    with connection.cursor() as cursor:
        cursor.execute(statement, given)
        found = [ActRow(**dict(zip(COLUMNS, row, strict=True))) for row in cursor.fetchall()]
    shown = found[:ROWS]
    last = shown[-1] if len(found) > ROWS else None
    return shown, f"{int(last.held)}-{last.at}-{last.index}" if last else ""


def activities_of(use: Use, rows: Collection[ActRow]) -> list[Activity]:
    """The actions as the log holds them, without their statements. One statement."""
    found = Event.objects.filter(id__in=[row.event_id for row in rows]).values_list(*READ)
    fields = {event.id: event.fields for event in events_of(found)}
    return [_activity(use, row, fields[row.event_id]) for row in rows if row.event_id in fields]


def session_names(use: Use, rows: Collection[ActRow]) -> dict[str, str]:
    """How the target names the sessions of these actions. One statement."""
    return _session_names(use.case, {row.session_id for row in rows})


def cursor_of(text: str, parts: int) -> Cursor | None:
    """The key in an address; what cannot be read is the beginning."""
    words = text.split("-")
    if len(words) != parts or not all(word.isascii() and word.isdigit() and len(word) < 19 for word in words):
        return None
    return tuple(int(word) for word in words)


def _activity(use: Use, row: ActRow, given: dict[str, Any]) -> Activity:
    accepted = use.accepted.holds(row.activity_id, row.session_id, row.kind, row.index)
    return Activity(
        row.activity_id, str(row.event_id), row.index, row.session_id, row.kind, bool(given["at_least"]), row.outcome, row.state_code,
        row.at, row.number, length=given.get("statement_length"), outside=row.kind not in use.intended, accepted=accepted,
    )  # fmt: skip


def _session_names(case: str, ids: Collection[str]) -> dict[str, str]:
    return dict(ActSession.objects.filter(case=case, session_id__in=ids).values_list("session_id", "name"))


def _given(use: Use) -> dict[str, Any]:
    sessions, kinds, uptos = zip(*use.accepted.groups, strict=True) if use.accepted.groups else ((), (), ())
    return {
        "case": use.case, "intended": sorted(use.intended), "ids": sorted(use.accepted.ids), "sessions": list(sessions),
        "kinds": list(kinds), "uptos": list(uptos),
    }  # fmt: skip
