"""Which row of the played quarter stands for which row of the fixtures, and what of it must be equal.

A column that may differ stands in `DIFFERENT` with its reason; a test sees to it that each reason is needed.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from audit.completeness.windows import window_id
from audit.facts.schema import load_schema
from tests.audit.controls import fixture_rows
from tests.evidence.conftest import Played

Row = Mapping[str, Any]
MINUTE = 60_000

# Tables of which the fixtures hold rows of these uses and this stage says nothing yet.
NOT_TOLD = {
    "incidents": "no ticket system is connected",
    "triages": "the demo's people decided nothing on privacy in this quarter",
    "change_records": "the demo's reviewers named no change record in this quarter",
    "change_links": "the demo's reviewers named no change record in this quarter",
}
LATER = "the demo was founded on 22 June, the fixtures' organisation long before"
FOLD_ID = "an id of the fold's own; rows are matched by what they are about"
CLEAR = "the object is personal: the fact is its commitment"
DIFFERENT: Mapping[tuple[str, str], str] = {
    ("requests", "criterion"): "the demo's people name a criterion in every request, the fixtures in a bypass only",
    ("requests", "reason_length"): "real reasons have their own length; that of BG-10 is held apart",
    ("requests", "policy_id"): FOLD_ID,
    ("requests", "policy_sha256"): "a real hash of a real policy",
    ("approvals", "id"): FOLD_ID,
    ("refusals", "id"): FOLD_ID,
    ("acts", "id"): FOLD_ID,
    ("acts", "kind"): "where the portal gives the password, taking it is the act of opening: reveal",
    ("acts", "auth_method"): "the demo's second factor is totp",
    ("sessions", "id"): FOLD_ID,
    ("activities", "id"): FOLD_ID,
    ("activities", "session_id"): "the fixtures name a session only where it matters",
    ("activities", "object"): CLEAR,
    ("activities", "received_at"): "that a secret was shown is known at once: the portal showed it",
    ("activities", "source_number"): "lines are numbered in each session, and its beginning is a line",
    ("activities", "source_id"): FOLD_ID,
    ("grants", "account_id"): FOLD_ID,
    ("activities", "account_id"): FOLD_ID,
    ("checkouts", "id"): FOLD_ID,
    ("checkouts", "account_id"): FOLD_ID,
    ("rotations", "id"): FOLD_ID,
    ("rotations", "account_id"): FOLD_ID,
    ("judgements", "involved_ids"): "who let the secret be shown had a hand in the use, and reviews it no more",
    ("removals", "removed_at"): "the connector removes a login once its sessions are gone: in BG-08 later than the fixtures say",
    ("alerts", "id"): FOLD_ID,
    ("alerts", "channel"): "mail, which was sent for real",
    ("alerts", "receipts"): "mail brings no receipt",
    ("alerts", "delivered_at"): "without a receipt, what is known is when it was seen",
    ("reviews", "id"): FOLD_ID,
    ("reviews", "statement_sha256"): "a real hash of the catalogue's statement",
    ("judgements", "id"): FOLD_ID,
    ("judgements", "judge_manager_id"): "no personnel system is connected",
    ("judgements", "lines_known"): "no personnel system is connected",
    ("sittings", "id"): FOLD_ID,
    ("sittings", "active_seconds"): "the demo's past reviews stood on nobody's screen",
    ("sittings", "median_seconds"): "the demo's past reviews stood on nobody's screen",
    ("sittings", "actions"): "the demo's uses have actions of their own",
    ("sittings", "evidence_skipped"): "the demo's past reviews stood on nobody's screen",
    ("findings", "id"): FOLD_ID,
    ("findings", "test_id"): "each adverse answer opens its own finding, which cites the test of its question",
    ("findings", "raised_at"): "a finding is raised with the review, not half an hour later",
    ("findings", "assigned_at"): "a finding has its owner from the beginning",
    ("source_windows", "id"): FOLD_ID,
    ("source_windows", "source_id"): FOLD_ID,
    ("eligibilities", "id"): FOLD_ID,
    ("eligibilities", "granted_at"): LATER,
    ("eligibilities", "expires_at"): "the demo's eligibilities have no end; an attestation asks for them each quarter",
    ("eligibilities", "reconfirmed_at"): "the attestation of the quarter kept it",
    ("eligibilities", "days_since_use_or_drill"): "the fixtures give all rights the same number",
    ("eligibilities", "bypass_share"): "Ben's only use was a bypass",
    ("eligibilities", "uses"): "the fixtures give rights without a scenario the same number",
    ("campaigns", "id"): FOLD_ID,
    ("campaigns", "system_id"): "an attestation is of one system's list",
    ("campaigns", "snapshot_sha256"): "a real hash of the list",
    ("campaigns", "recomputed_sha256"): "a real hash of the list; that both are equal is held apart",
    ("campaigns", "item_count"): "the list of billing has one line",
    ("campaigns", "second_count"): "the list of billing has one line",
    ("items", "id"): FOLD_ID,
    ("items", "campaign_id"): FOLD_ID,
    ("items", "subject_id"): FOLD_ID,
    ("items", "owner_id"): "Mo approved the right, so the line was put to the other owner",
    ("items", "reviewer_id"): "Mo approved the right, so the line was put to the other owner",
    ("duties", "id"): FOLD_ID,
    ("duties", "system_id"): "an attestation is of one system's list",
    ("duties", "due_at"): "90 days after the last, and not the end of the quarter",
    ("systems", "connector"): "these targets are simulated",
    ("systems", "in_scope_from"): LATER,
    ("roles", "id"): FOLD_ID,
    ("roles", "granted_at"): LATER,
    ("roles", "granted_by"): "whose yes makes it effective; the fixtures name who proposed it",
}  # fmt: skip


def pairs(played: Played) -> Iterator[tuple[str, Row, Row]]:
    """Table, row of the fixtures as the fold would give it, and the row that stands for it."""
    for table, match in MATCHES.items():
        for key, columns in fixture_rows.base()["rows"].get(table, {}).items():
            if concerns(played, table, key, columns):
                yield table, wanted(played, table, key, columns), match(played, key, columns)


def use_of(played: Played, key: str) -> str | None:
    """The use to which a row of the fixtures belongs, by its id."""
    return next((use for use in played.grants if key == use or key.startswith(f"{use}-")), None)


def concerns(played: Played, table: str, key: str, columns: Row) -> bool:
    """Rows of the uses that were played, and what stands around them."""
    if table == "roles":
        return columns["system_id"] in played.systems and columns["person_id"] in played.people
    if table == "systems":
        return key in played.systems
    if table == "eligibilities":
        return columns["system_id"] in played.systems and columns["person_id"] in played.people
    return use_of(played, key) is not None or key in ("C-eligibility", "I-ann", "DU-eligibility-09")


def wanted(played: Played, table: str, key: str, columns: Row) -> dict[str, Any]:
    """A fixture's row with the ids that the play has given."""
    kinds = load_schema().tables[table].columns
    found = dict.fromkeys(kinds) | fixture_rows.row(table, key, columns)
    return {name: _mapped(played, kinds[name], name, value) for name, value in found.items()}


def _mapped(played: Played, kind: str, name: str, value: Any) -> Any:
    known = {
        "-> people": played.people, "-> systems": played.systems, "-> requests": played.requests, "-> grants": played.grants,
    }.get(kind, {})  # fmt: skip
    if name == "privilege_id":
        return played.privileges.get(value, value)
    if name == "rotated_by":
        return played.people.get(value, value)
    if name in ("involved_ids",):
        return sorted(played.people[each] for each in value)
    if name == "subject_id" and value in played.people:
        return played.people[value]
    return known.get(value, value) if isinstance(value, str) else value


def value_of(table: str, name: str, row: Row) -> Any:
    """A column as the fixtures write it."""
    kind = load_schema().tables[table].columns[name]
    value = row[name]
    if kind in ("list", "map") and value is not None:
        return json.loads(value)
    return value


def differs(table: str, name: str, wanted: Any, found: Any) -> bool:
    """Whether two values mean something else. Times are told to the minute, those of what the fixtures do by the day to the day."""
    if load_schema().tables[table].columns[name] == "time" and wanted is not None and found is not None:
        return bool(abs(wanted - found) > MINUTE)
    return bool(
        sorted(wanted) != sorted(found) if isinstance(wanted, list) and isinstance(found, list) else wanted != found
    )


def _one(rows: list[dict[str, Any]], what: str) -> dict[str, Any]:
    assert len(rows) == 1, f"{what}: {len(rows)} rows"
    return rows[0]


def _where(played: Played, table: str, **columns: Any) -> list[dict[str, Any]]:
    return [row for row in played.rows(table) if all(row[name] == value for name, value in columns.items())]


def _of_grant(table: str) -> Callable[[Played, str, Row], Row]:
    return lambda played, key, columns: _one(_where(played, table, grant_id=played.grants[columns["grant_id"]]), key)


def _of_request(table: str) -> Callable[[Played, str, Row], Row]:
    return lambda played, key, columns: _one(
        _where(played, table, request_id=played.requests[columns["request_id"]]), key
    )


def _review_of(played: Played, key: str) -> str:
    use = use_of(played, key)
    assert use
    return str(_one(_where(played, "reviews", grant_id=played.grants[use]), key)["id"])


def _by_review(table: str) -> Callable[[Played, str, Row], Row]:
    return lambda played, key, _columns: _one(_where(played, table, id=_review_of(played, key)), key)


def _request(played: Played, key: str, _columns: Row) -> Row:
    return _one(_where(played, "requests", id=played.requests[key]), key) | {"id": key}


def _grant(played: Played, key: str, _columns: Row) -> Row:
    return _one(_where(played, "grants", id=played.grants[key]), key) | {"id": key}


def _removal(played: Played, key: str, _columns: Row) -> Row:
    return _one(_where(played, "removals", grant_id=played.grants[key]), key)


def _act(played: Played, key: str, columns: Row) -> Row:
    kind = {"open": "reveal"}.get(columns["kind"], columns["kind"])
    mine = {"request_id": played.requests[columns["request_id"]], "person_id": played.people[columns["person_id"]]}
    return _one(_where(played, "acts", kind=kind, **mine), key)


def _activity(played: Played, key: str, columns: Row) -> Row:
    """Numbered in the order of their times: BG-01-a2 is the second."""
    rows = sorted(_where(played, "activities", grant_id=played.grants[columns["grant_id"]]), key=lambda row: row["at"])
    return rows[int(key.rpartition("-a")[2]) - 1]


def _alert(played: Played, key: str, columns: Row) -> Row:
    rows = _where(played, "alerts", grant_id=played.grants[columns["grant_id"]], recipient_id=played.people["mo"])
    return _one([row for row in rows if row["acknowledged_at"] is not None], key)


def _finding(played: Played, key: str, _columns: Row) -> Row:
    rows = _where(played, "findings", subject_id=_review_of(played, key))
    assert len(rows) == 3, "one for each adverse answer"
    return min(rows, key=lambda row: str(row["test_id"])) | {"subject_id": key.replace("F-13", "review")}


def _window(played: Played, key: str, columns: Row) -> Row:
    use = use_of(played, key)
    assert use
    source = played.systems[columns["system_id"]]
    return _one(_where(played, "source_windows", id=window_id(source, "grant", played.grants[use])), key)


def _eligibility(played: Played, key: str, columns: Row) -> Row:
    mine = {"person_id": played.people[columns["person_id"]], "system_id": played.systems[columns["system_id"]]}
    return _one(_where(played, "eligibilities", **mine), key)


def _role(played: Played, key: str, columns: Row) -> Row:
    mine = {"person_id": played.people[columns["person_id"]], "system_id": played.systems[columns["system_id"]]}
    return _one(_where(played, "roles", role=columns["role"], **mine), key)


def _campaign(played: Played, key: str, _columns: Row) -> Row:
    return _one(_where(played, "campaigns", system_id=played.systems["billing"], kind="eligibility"), key)


def _item(played: Played, key: str, columns: Row) -> Row:
    return _one(_where(played, "items", campaign_id=_campaign(played, key, columns)["id"]), key)


def _duty(played: Played, key: str, _columns: Row) -> Row:
    rows = _where(played, "duties", kind="campaign", subject_kind="eligibility", system_id=played.systems["billing"])
    return _one([row for row in rows if row["done_at"] is not None], key)


def _system(played: Played, key: str, _columns: Row) -> Row:
    return _one(_where(played, "systems", id=played.systems[key]), key) | {"id": key}


MATCHES: Mapping[str, Callable[[Played, str, Row], Row]] = {
    "systems": _system, "roles": _role, "eligibilities": _eligibility, "requests": _request, "approvals": _of_request("approvals"),
    "refusals": _of_request("refusals"), "grants": _grant, "removals": _removal, "acts": _act, "sessions": _of_grant("sessions"),
    "activities": _activity, "alerts": _alert, "reviews": _of_grant("reviews"), "judgements": _by_review("judgements"),
    "sittings": _by_review("sittings"), "checkouts": _of_grant("checkouts"),
    "rotations": _of_grant("rotations"), "findings": _finding, "source_windows": _window, "campaigns": _campaign, "items": _item,
    "duties": _duty,
}  # fmt: skip
