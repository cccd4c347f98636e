"""What a row of the facts speaks of: whom, which system, when, which request. An auditor goes on from there."""

import re
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from audit.controls.model import ControlTest
from audit.facts.schema import load_schema
from audit.packs.known import Known

PEOPLE = {
    "person_id": "", "responder_id": "", "approver_id": "approver", "judge_id": "judge", "subject_id": "judged",
    "reviewer_id": "reviewer", "changed_by": "changed by", "owner_id": "owner",
}  # fmt: skip
TIMES = {
    "opened_at": "Opened", "over_at": "Over", "decided_at": "Decided", "requested_at": "Asked", "due_at": "Due",
    "submitted_at": "Submitted", "snapshot_at": "Listed", "granted_at": "Given", "raised_at": "Raised", "from_at": "From",
    "effective_at": "In effect", "hour": "Hour", "received_at": "Received", "sealed_at": "Sealed", "created_at": "Made",
    "keep_until": "Kept until", "in_scope_from": "In scope",
}  # fmt: skip
OF_TABLE = re.compile(r"\w+\.(\w+)")
REQUEST_OF_GRANT = "SELECT request_id FROM grants WHERE id = ?"
GRANT_OF_REVIEW = "SELECT grant_id FROM reviews WHERE id = ?"
SYSTEM_OF_REQUEST = "SELECT system_id FROM requests WHERE id = ?"
SYSTEM_OF_CAMPAIGN = "SELECT system_id FROM campaigns WHERE id = ?"
REQUEST = "SELECT id FROM requests WHERE id = ?"


@dataclass(frozen=True)
class Subject:
    """What is known of a row; ``who`` are people with their part in it, ``request`` is the id of the case, ``about`` a test."""

    who: tuple[str, ...] = ()
    login: str = ""
    system: str = ""
    privilege: str = ""
    at: int | None = None
    request: str = ""
    about: str = ""


class Subjects:
    """Finds the subjects of rows in a database of facts."""

    def __init__(self, db: sqlite3.Connection, known: Known, logins: Mapping[str, str]) -> None:
        """``logins`` by the id of a grant, or of a line of a listing."""
        self._db, self._known, self._logins = db, known, logins

    def of(self, test: ControlTest, row_id: str) -> Subject:
        """The subject of a row that a test judged; an empty one where the row is not to be found."""
        table = load_schema().tables[test.population.of]
        cursor = self._db.execute(f"SELECT * FROM {table.name} WHERE {table.key} = ?", (row_id,))  # noqa: S608  known table
        names = [column[0] for column in cursor.description]
        found = cursor.fetchone()
        if found is None:
            return Subject()
        row = dict(zip(names, found, strict=True))
        request = self._request(table.name, row_id, row)
        at = row.get(time_of(test))
        return Subject(
            tuple(self._people(table.name, row_id, row)), self._login(row_id, row), self._system(table.name, row, request),
            self._known.privileges.get(str(row.get("privilege_id")), ""), at if isinstance(at, int) else None, request,
            f"on {row['test_id']}" if row.get("test_id") else "",
        )  # fmt: skip

    def _people(self, table: str, row_id: str, row: Mapping[str, object]) -> Iterator[str]:
        if table == "people":
            yield self._known.name(row_id)
        for column, part in PEOPLE.items():
            identity = str(row.get(column) or "")
            if identity in self._known.people or (identity and column == "person_id"):
                name = self._known.people.get(identity, f"person {identity[:8]}")
                yield f"{part} {name}".strip()

    def _login(self, row_id: str, row: Mapping[str, object]) -> str:
        return self._logins.get(row_id) or self._logins.get(str(row.get("grant_id") or ""), "")

    def _request(self, table: str, row_id: str, row: Mapping[str, object]) -> str:
        if table == "requests":
            return row_id
        if row.get("request_id"):
            return str(row["request_id"])
        grant = row.get("grant_id")
        if grant is None and table in ("judgements", "sittings", "findings"):
            judged = row.get("subject_id") if table == "findings" else row_id
            grant = self._one(GRANT_OF_REVIEW, str(judged or "").partition(":")[0]) or judged
        return self._one(REQUEST_OF_GRANT, grant) or self._one(REQUEST, grant)

    def _system(self, table: str, row: Mapping[str, object], request: str) -> str:
        system = row.get("id") if table == "systems" else row.get("system_id") or self._one(SYSTEM_OF_REQUEST, request)
        system = system or self._one(SYSTEM_OF_CAMPAIGN, row.get("campaign_id"))
        return self._known.name(str(system)) if system else ""

    def _one(self, query: str, key: object) -> str:
        found = self._db.execute(query, (key,)).fetchone() if key else None
        return str(found[0]) if found and found[0] else ""


def concerns_people(test: ControlTest) -> bool:
    """Whether the rows of a test name anybody; if so, a row that does not is to be told."""
    table = load_schema().tables[test.population.of]
    return table.name == "people" or bool(PEOPLE.keys() & table.columns.keys())


def time_of(test: ControlTest) -> str:
    """The column of time by which a test chooses its rows."""
    population = test.population
    match = OF_TABLE.fullmatch((population.at or population.span or ("",))[0])
    return match[1] if match else ""


def time_head(test: ControlTest) -> str:
    """What that time is, in a word for the head of a column."""
    return TIMES.get(time_of(test), "When")
