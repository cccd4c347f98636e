"""Rows that did not pass: whom and what each concerns, what was required, and rows that are alike together without losing one."""

import sqlite3
from typing import Any

import pytest

from audit.controls.loading import load_catalogue
from audit.controls.model import ControlTest, Row
from audit.facts.schema import insert_rows, new_database
from audit.packs.filters import figure, on_system
from audit.packs.inert import person
from audit.packs.known import Known
from audit.packs.rows import MOST_ROWS, PrintedRow, PrintedRows, printed_rows, required
from audit.packs.subjects import Subject, Subjects, time_head

AT, HOUR = 1_790_000_000_000, 3_600_000
KNOWN = Known(
    people={"p-ann": "Ann Berg", "p-kim": "Kim Adler", "p-emil": "Emil Vogt"}, systems={"s-shop": "Shop", "s-mail": "Mail"},
    privileges={"v-read": "Read orders"},
)  # fmt: skip
FACTS: dict[str, list[dict[str, Any]]] = {
    "requests": [{"id": "r-1", "responder_id": "p-ann", "system_id": "s-shop", "requested_at": AT}],
    "grants": [{"id": "g-1", "request_id": "r-1", "person_id": "p-ann", "system_id": "s-shop", "privilege_id": "v-read", "opened_at": AT}],
    "approvals": [{"id": "a-1", "request_id": "r-1", "approver_id": "p-kim", "decided_at": AT}],
    "reviews": [{"id": "w-1", "grant_id": "g-1", "reviewer_id": "p-kim", "submitted_at": AT + HOUR}],
    "judgements": [
        {"id": "w-1", "kind": "review", "judge_id": "p-kim", "subject_id": "p-ann", "involved_ids": [], "at": AT},
        *({"id": f"i-{each}", "kind": "item", "judge_id": "p-kim", "subject_id": "p-emil", "involved_ids": [], "at": AT + each * HOUR} for each in range(5)),
    ],
    "access_matches": [{"id": "l-1", "at": AT, "system_id": "s-shop", "privilege_id": "v-read", "seen_in_target": 1, "seen_in_log": 0, "request_count": 0}],
    "findings": [{"id": "f-1", "test_id": "T-05", "subject_id": "w-1", "raised_at": AT, "owner_id": "p-kim"}],
    "campaigns": [{"id": "c-1", "kind": "eligibility", "system_id": "s-mail", "snapshot_at": AT}],
    "items": [{"id": "i-1", "campaign_id": "c-1", "reviewer_id": "p-kim", "decided_at": AT, "due_at": AT}],
    "duties": [{"id": "d-1", "kind": "drill", "system_id": "s-shop", "due_at": AT}],
    "anchor_slots": [{"id": f"slot:{each:02}", "from_at": AT + each * HOUR, "to_at": AT + (each + 1) * HOUR} for each in range(30)],
}  # fmt: skip


@pytest.fixture(scope="module")
def db() -> sqlite3.Connection:
    made = new_database()
    for table, rows in FACTS.items():
        insert_rows(made, table, rows)
    return made


def subjects(db: sqlite3.Connection) -> Subjects:
    return Subjects(db, KNOWN, {"l-1": "root_of_shop", "g-1": "bg_7"})


def control(name: str) -> ControlTest:
    return load_catalogue().tests[name]


def row(name: str, test: ControlTest, result: str, *failed: str, holds: tuple[str, ...] = (), **shows: Any) -> Row:
    clauses = {each.name: int(each.name not in failed) for each in test.must}
    return Row(name, result, {each: shows.get(each) for each in test.population.shows}, clauses, holds)


def printed(db: sqlite3.Connection, test: ControlTest, *rows: Row) -> PrintedRows:
    return printed_rows(test, rows, subjects(db), KNOWN)


@pytest.mark.parametrize(
    ("test", "name", "expected"),
    [
        ("T-01", "l-1", Subject((), "root_of_shop", "Shop", "Read orders", AT)),
        ("T-02", "g-1", Subject(("Ann Berg",), "bg_7", "Shop", "Read orders", AT, "r-1")),
        ("T-03", "a-1", Subject(("approver Kim Adler",), "", "Shop", "", AT, "r-1")),
        ("T-05", "r-1", Subject(("Ann Berg",), "", "Shop", "", AT, "r-1")),
        ("T-16", "w-1", Subject(("judge Kim Adler", "judged Ann Berg"), "", "Shop", "", AT, "r-1")),
        ("T-16", "i-1", Subject(("judge Kim Adler", "judged Emil Vogt"), "", "", "", AT + HOUR)),
        ("T-18", "w-1", Subject(("reviewer Kim Adler",), "bg_7", "Shop", "", AT + HOUR, "r-1")),
        ("T-23", "i-1", Subject(("reviewer Kim Adler",), "", "Mail", "", AT)),
        ("T-34", "d-1", Subject((), "", "Shop", "", AT)),
        ("T-40", "f-1", Subject(("owner Kim Adler",), "", "Shop", "", AT, "r-1", "on T-05")),
        ("T-40", "gone", Subject()),
    ],
)
def test_subject_is_found_by_the_facts(db: sqlite3.Connection, test: str, name: str, expected: Subject) -> None:
    assert subjects(db).of(control(test), name) == expected


def test_right_that_nobody_asked_for_is_printed_with_its_login_and_what_was_required(db: sqlite3.Connection) -> None:
    test = control("T-01")
    (line,) = printed(db, test, row("l-1", test, "deviation", "in_log", "one_request", system="s-shop")).lines
    assert line == PrintedRow(
        "deviation", 1, "nobody is known", "root_of_shop", "Shop, Read orders", "2026-09-21 14:13", "", (),
        ("the portal's log knows who holds the right", "it belongs to exactly one request"), (), ("l-1",),
    )  # fmt: skip


def test_incident_stands_beside_the_person(db: sqlite3.Connection) -> None:
    test = control("T-06")
    (line,) = printed(db, test, row("g-1", test, "deviation", "open_then", incident="INC-7", system="s-shop")).lines
    assert (line.who, line.more, line.request, line.why) == (
        "Ann Berg", ("incident INC-7",), "r-1", ("the incident was open at the time of the use",),
    )  # fmt: skip


def test_rows_that_are_undecided_alike_are_one_line_with_first_and_last(db: sqlite3.Connection) -> None:
    test = control("T-28")
    found = printed(
        db,
        test,
        *(row(f"slot:{each:02}", test, "inconclusive", "anchored", holds=("inconclusive",)) for each in range(30)),
    )
    (line,) = found.lines
    assert (found.covered, found.total) == (30, 30)
    assert (line.count, line.when, line.ids) == (
        30,
        "first 2026-09-21 14:13, last 2026-09-22 19:13",
        ("slot:00", "slot:29"),
    )
    assert line.who == ""


def test_rows_that_differ_in_what_is_missing_stay_apart(db: sqlite3.Connection) -> None:
    test = control("T-16")
    names = [f"i-{each}" for each in range(5)]
    rows = [row(name, test, "inconclusive", holds=("inconclusive",)) for name in names]
    rows.append(row("w-1", test, "inconclusive", "not_subject", holds=("inconclusive",)))
    assert sorted(line.count for line in printed(db, test, *rows).lines) == [1, 5]


def test_few_rows_and_deviations_are_printed_one_by_one(db: sqlite3.Connection) -> None:
    test = control("T-28")
    few = [row(f"slot:{each:02}", test, "inconclusive", "anchored", holds=("inconclusive",)) for each in range(3)]
    assert [line.count for line in printed(db, test, *few).lines] == [1, 1, 1]
    many = [row(f"slot:{each:02}", test, "deviation", "anchored") for each in range(30)]
    found = printed(db, test, *many)
    assert ([line.count for line in found.lines], found.covered, found.total) == ([1] * MOST_ROWS, MOST_ROWS, 30)


def test_every_clause_of_the_catalogue_is_worded() -> None:
    """The control: a clause that nobody worded is printed by its name."""
    tests = load_catalogue().tests.values()
    unworded = {
        (test.id, each.name)
        for test in tests
        for each in test.must
        if each.name.replace("_", " ") in required(test, [each.name])
    }
    assert unworded == set()
    assert required(control("T-01"), ["made_up"]) == ("made up",)


def test_time_is_headed_by_what_it_is() -> None:
    assert [time_head(control(each)) for each in ("T-01", "T-02", "T-34", "T-40", "T-25")] == [
        "When",
        "Opened",
        "Due",
        "Raised",
        "When",
    ]


def test_pairs_are_printed_in_words() -> None:
    assert (
        figure([["administrator", "auditor"], ["custodian", "reviewer"]])
        == "administrator with auditor, custodian with reviewer"
    )


@pytest.mark.parametrize(
    ("privilege", "system", "expected"),
    [
        ("write", "Shop", "Shop, write"),
        ("Shop: emergency", "Shop", "Shop: emergency"),
        ("", "Shop", "Shop"),
        ("write", "", "write"),
        ("", "", ""),
    ],
)
def test_system_is_named_once_beside_a_privilege(privilege: str, system: str, expected: str) -> None:
    assert on_system(privilege, system) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [("p-ann", "Ann Berg"), ("security@breakglass.example", "security@breakglass.example"), ("list:security", "security list"),
     ("process:sweep", "the portal (sweep)"), ("0b6f5a6e-0000", "person 0b6f5a6e"), ("", "—")],
)  # fmt: skip
def test_who_is_called_as_people_call_them(given: str, expected: str) -> None:
    assert person(given, KNOWN.people) == expected
