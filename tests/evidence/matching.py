"""Which row of the played quarter stands for which row of the fixtures, and what of it must be equal.

A column that may differ stands in `DIFFERENT` with its reason; a test sees to it that each reason is needed.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from audit.completeness.windows import window_id
from audit.facts.schema import load_schema
from tests.audit.controls import fixture_rows
from tests.evidence.conftest import LATER, Played

Row = Mapping[str, Any]
MINUTE, MILLISECOND = 60_000, timedelta(milliseconds=1)

# Tables of which the fixtures hold rows of these uses and this stage says nothing yet.
NOT_TOLD = {
    "incidents": "no ticket system is connected",
    "access_matches": "targets are listed now and then, the fixtures' every day",
}
# Rows that the demo tells in another way.
APART = {
    ("acts", "BG-11-session"): "a simulated target does not authenticate the person; taking the password is the act",
    ("requests", "BG-12-aws-first"): "the drill that failed was approved, and its grant could not be opened",
}
FOUNDED = "the demo was founded on 22 June, the fixtures' organisation long before"
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
    ("sittings", "id"): FOLD_ID,
    ("sittings", "actions"): "the demo's uses have actions of their own",
    ("findings", "id"): FOLD_ID,
    ("findings", "test_id"): "each adverse answer opens its own finding, which cites the test of its question",
    ("findings", "raised_at"): "a finding is raised with the review, not half an hour later",
    ("findings", "assigned_at"): "a finding has its owner from the beginning",
    ("source_windows", "id"): FOLD_ID,
    ("source_windows", "source_id"): FOLD_ID,
    ("eligibilities", "id"): FOLD_ID,
    ("eligibilities", "granted_at"): FOUNDED,
    ("eligibilities", "expires_at"): "the demo's eligibilities have no end; an attestation asks for them each quarter",
    ("eligibilities", "reconfirmed_at"): "the attestation of the quarter kept it",
    ("eligibilities", "days_since_use_or_drill"): "the fixtures give all rights the same number",
    ("eligibilities", "bypass_share"): "Ben's only use was a bypass",
    ("eligibilities", "uses"): "the fixtures give rights without a scenario the same number",
    ("campaigns", "id"): FOLD_ID,
    ("campaigns", "due_at"): "a list has until its duty is due, 90 days after the system came into scope",
    ("items", "due_at"): "a list has until its duty is due, 90 days after the system came into scope",
    ("remedies", "done_by"): "the decision is the owner's, and the portal carries it out",
    ("remedies", "read_back_by"): "the process that lists the target is named",
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
    ("systems", "in_scope_from"): FOUNDED,
    ("roles", "id"): FOLD_ID,
    ("role_pairs", "id"): FOLD_ID,
    ("role_pairs", "from_at"): FOUNDED,
    ("extensions", "id"): FOLD_ID,
    ("triages", "aware_at"): "where no breach was found, nobody became aware of one",
    ("triages", "risk_unlikely"): "where no breach was found, it is said that there is no risk of one",
    ("triages", "delay_reason_given"): "where no breach was found, nothing was delayed",
    ("change_records", "id"): FOLD_ID,
    ("change_links", "id"): FOLD_ID,
    ("change_links", "change_record_id"): FOLD_ID,
    ("change_links", "activity_id"): FOLD_ID,
    ("people", "joined_at"): FOUNDED,
    ("roles", "granted_at"): FOUNDED,
    ("roles", "granted_by"): "whose yes makes it effective; the fixtures name who proposed it",
}  # fmt: skip


REVIEWED = (("reviews", "submitted_at"), ("acts", "at"), ("acts", "auth_at"), ("judgements", "at"), ("sittings", "at"))
REVIEWED_LATER = {
    "BG-11": "a review waits for the read-back", "BG-12-mail": "the reviewer's days have no room for two things at once",
}  # fmt: skip
OF_ONE: Mapping[tuple[str, str, str], str] = {
    **{(use, table, name): why for use, why in REVIEWED_LATER.items() for table, name in REVIEWED},
    ("BG-11", "sessions", "started_at"): "everybody logs in a minute and a half after the opening",
    ("BG-11", "sessions", "ended_at"): "everybody logs out half a minute before the end",
    ("BG-11", "sessions", "account_id"): "the array is a simulated system with a login of its own",
    ("BG-11", "removals", "confirmed_at"): "the target said a day before it was true that nothing was left",
    ("BG-11", "removals", "removed_at"): "the target said a day before it was true that nothing was left",
    ("BG-11-item", "judgements", "judge_id"): "Mo approved the right, so the line was put to the other owner",
    ("BG-11-item", "remedies", "done_at"): "the portal notes it when it looks at the target",
    ("BG-11-item", "remedies", "present_at_next_snapshot"): "the array's list is attested again in the next quarter",
    ("I-wiki", "items", "shown_at"): "line after line, in another order",
    ("I-wiki", "items", "decided_at"): "line after line, in another order",
    ("I-wiki", "remedies", "done_at"): "the portal shortens a right as it is decided",
    ("I-wiki", "remedies", "read_back_at"): "the portal shortens a right as it is decided",
    ("DU-eligibility-09", "duties", "days_since_previous"): "the demo's systems came into scope on 25 June",
    **{
        (right, "eligibilities", "most_uses_in_window"): "the fixtures give rights that nobody used the same number"
        for right in ("E-vera-storage", "E-emil-wiki", "E-tom-aws", "E-ulla-k8s")
    },
    ("BG-12", "requests", "intended_classes"): "every drill says that it will read",
}
"""As `DIFFERENT`, for the rows of one scenario alone."""


# How many rows there are beyond the fixtures' of these uses: the request that was declined, and the drill that could not be opened.
MORE = {
    "requests": 1, "approvals": 2, "refusals": 1, "grants": 1, "removals": 1, "activities": 1, "reviews": 0, "judgements": 0, "extensions": 0,
    "triages": 0,
}  # fmt: skip


def may_differ(key: str, table: str, name: str) -> bool:
    """Whether a reason stands for it."""
    of_one = any(key.startswith(start) and (table, name) == (other, column) for start, other, column in OF_ONE)
    return (table, name) in DIFFERENT or of_one


def pairs(played: Played) -> Iterator[tuple[str, str, Row, Row]]:
    """Table, its key, row of the fixtures as the fold would give it, and the row that stands for it."""
    for table, match in MATCHES.items():
        for key, columns in fixture_rows.base()["rows"].get(table, {}).items():
            if concerns(played, table, key, columns):
                yield table, key, wanted(played, table, key, columns), match(played, key, columns)


def use_of(played: Played, key: str) -> str | None:
    """The use to which a row of the fixtures belongs, by its id."""
    found = [use for use in played.grants if key == use or key.startswith(f"{use}-")]
    return max(found, key=len, default=None)


def concerns(played: Played, table: str, key: str, columns: Row) -> bool:
    """Rows of the uses that were played, and what stands around them."""
    if (table, key) in APART:
        return False
    if table in ("roles", "eligibilities", "role_pairs"):
        return columns["system_id"] in played.systems and columns["person_id"] in played.people
    if table in ("systems", "people"):
        return key in played.systems or key in played.people
    if table in ("change_records", "change_links"):
        return True
    return use_of(played, key) is not None or key in AROUND


AROUND = ("C-eligibility", "C-storage", "I-ann", "I-wiki", "BG-11-item", "BG-11-item-judgement", "DU-eligibility-09")


def wanted(played: Played, table: str, key: str, columns: Row) -> dict[str, Any]:
    """A fixture's row with the ids that the play has given."""
    kinds = load_schema().tables[table].columns
    found = dict.fromkeys(kinds) | fixture_rows.row(table, key, columns)
    return {name: _mapped(played, kinds[name], name, value) for name, value in found.items()}


def _mapped(played: Played, kind: str, name: str, value: Any) -> Any:
    if kind == "time" and value is not None:
        return value + LATER // MILLISECOND
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


def _triage(played: Played, key: str, _columns: Row) -> Row:
    return _one(_where(played, "triages", grant_id=played.grants[key]), key)


def _act(played: Played, key: str, columns: Row) -> Row:
    kind = {"open": "reveal"}.get(columns["kind"], columns["kind"])
    mine = {"request_id": played.requests[columns["request_id"]], "person_id": played.people[columns["person_id"]]}
    rows = _where(played, "acts", kind=kind, **mine)
    assert rows, key
    return min(rows, key=lambda row: int(row["at"]))  # who gave more time later has two acts


def _activity(played: Played, key: str, columns: Row) -> Row:
    """Numbered in the order of their times: BG-01-a2 is the second. In a drill the fixtures leave out that a secret was shown."""
    rows = sorted(_where(played, "activities", grant_id=played.grants[columns["grant_id"]]), key=lambda row: row["at"])
    if key.startswith("BG-12"):
        rows = [row for row in rows if row["source_id"] != "portal"]
    return rows[int(key.rpartition("-a")[2]) - 1]


def _alert(played: Played, key: str, columns: Row) -> Row:
    rows = _where(played, "alerts", grant_id=played.grants[columns["grant_id"]], recipient_id=played.people["mo"])
    return _one([row for row in rows if row["acknowledged_at"] is not None], key)


def _finding(played: Played, key: str, _columns: Row) -> Row:
    rows = _where(played, "findings", subject_id=_review_of(played, key))
    assert len(rows) == {"BG-10": 3, "BG-04": 1}[str(use_of(played, key))], "one for each adverse answer"
    return min(rows, key=lambda row: str(row["test_id"])) | {"subject_id": f"{use_of(played, key)}-review"}


def _window(played: Played, key: str, columns: Row) -> Row:
    use = use_of(played, key)
    assert use
    source = played.systems[columns["system_id"]]
    return _one(_where(played, "source_windows", id=window_id(source, "grant", played.grants[use])), key)


def _eligibility(played: Played, key: str, columns: Row) -> Row:
    """The newest, where somebody was put on the list anew."""
    return max(_rights(played, columns), key=lambda row: int(row["granted_at"]))


def _rights(played: Played, columns: Row) -> list[dict[str, Any]]:
    mine = {"person_id": played.people[columns["person_id"]], "system_id": played.systems[columns["system_id"]]}
    return _where(played, "eligibilities", **mine)


def _role(played: Played, key: str, columns: Row) -> Row:
    mine = {"person_id": played.people[columns["person_id"]], "system_id": played.systems[columns["system_id"]]}
    return _one(_where(played, "roles", role=columns["role"], **mine), key)


def _pair(played: Played, key: str, columns: Row) -> Row:
    mine = {"person_id": played.people[columns["person_id"]], "system_id": played.systems[columns["system_id"]]}
    rows = [
        row
        for row in _where(played, "role_pairs", **mine)
        if {row["role_a"], row["role_b"]} == {columns["role_a"], columns["role_b"]}
    ]
    return _one(rows, key) | {"role_a": columns["role_a"], "role_b": columns["role_b"]}


def _campaign(played: Played, key: str, _columns: Row) -> Row:
    system = played.systems["storage" if key == "C-storage" else "billing"]
    return _one(_where(played, "campaigns", system_id=system, kind="eligibility"), key)


def _item(played: Played, key: str, columns: Row) -> Row:
    """The line about the right that the fixtures name, whichever campaign it stood in."""
    right = fixture_rows.base()["rows"]["eligibilities"][columns["subject_id"]]
    mine = {row["id"] for row in _rights(played, right)}
    return _one([row for row in played.rows("items") if row["subject_id"] in mine], key)


def _remedy(played: Played, key: str, _columns: Row) -> Row:
    item = _item(played, key, fixture_rows.base()["rows"]["items"][key])
    return _one(_where(played, "remedies", item_id=item["id"]), key) | {"item_id": key}


def _duty(played: Played, key: str, columns: Row) -> Row:
    if columns["kind"] == "drill":
        return _one(_where(played, "duties", kind="drill", system_id=played.systems[columns["system_id"]]), key)
    rows = _where(played, "duties", kind="campaign", subject_kind="eligibility", system_id=played.systems["billing"])
    return _one([row for row in rows if row["done_at"] is not None], key)


def _person(played: Played, key: str, _columns: Row) -> Row:
    return _one(_where(played, "people", id=played.people[key]), key) | {"id": key}


def _judgement(played: Played, key: str, columns: Row) -> Row:
    if columns.get("kind") != "item":
        return _by_review("judgements")(played, key, columns)
    item = _item(played, key, fixture_rows.base()["rows"]["items"][key.removesuffix("-judgement")])
    return _one(_where(played, "judgements", id=item["id"]), key)


def _links(played: Played, use: str) -> list[dict[str, Any]]:
    mine = {row["id"] for row in _where(played, "activities", grant_id=played.grants[use])}
    return [row for row in played.rows("change_links") if row["activity_id"] in mine]


def _change_record(played: Played, key: str, _columns: Row) -> Row:
    """Matched by the use whose actions it holds."""
    named = next(row for row in fixture_rows.base()["rows"]["change_links"].values() if row["change_record_id"] == key)
    (record,) = {row["change_record_id"] for row in _links(played, str(use_of(played, named["activity_id"])))}
    return _one(_where(played, "change_records", id=record), key)


def _change_link(played: Played, key: str, columns: Row) -> Row:
    activities = fixture_rows.base()["rows"]["activities"]
    activity = _activity(played, columns["activity_id"], activities[columns["activity_id"]])
    return _one(_where(played, "change_links", activity_id=activity["id"]), key)


def _system(played: Played, key: str, _columns: Row) -> Row:
    return _one(_where(played, "systems", id=played.systems[key]), key) | {"id": key}


MATCHES: Mapping[str, Callable[[Played, str, Row], Row]] = {
    "systems": _system, "roles": _role, "eligibilities": _eligibility, "requests": _request, "approvals": _of_request("approvals"),
    "refusals": _of_request("refusals"), "grants": _grant, "removals": _removal, "acts": _act, "sessions": _of_grant("sessions"),
    "activities": _activity, "alerts": _alert, "reviews": _of_grant("reviews"), "judgements": _judgement,
    "sittings": _by_review("sittings"), "checkouts": _of_grant("checkouts"),
    "rotations": _of_grant("rotations"), "findings": _finding, "source_windows": _window, "campaigns": _campaign, "items": _item,
    "duties": _duty, "people": _person, "role_pairs": _pair, "extensions": _of_grant("extensions"), "triages": _triage,
    "change_records": _change_record, "change_links": _change_link, "remedies": _remedy,
}  # fmt: skip
