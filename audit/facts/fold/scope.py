"""Facts of chosen systems only. What belongs to no system (people, rules, the log itself) stays."""

from collections import defaultdict
from collections.abc import Collection

from audit.facts.fold.resting import LINKS
from audit.facts.fold.state import Facts, Row

ROUNDS = 2  # a judgement hangs on a review, which hangs on a grant


def only_systems(facts: Facts, systems: Collection[str]) -> dict[str, set[str]]:
    """Take out every row of another system, and every row that hangs on one; the keys of those by table."""
    gone: dict[str, set[str]] = defaultdict(set)
    for table, rows in facts.rows.items():
        gone[table] = {key for key, row in rows.items() if _elsewhere(table, key, row, systems)}
    gone["downloads"] = {key for key in facts.rows["downloads"] if _took_elsewhere(facts, key, systems)}
    gone["reviews"] |= _reviews_of(facts, gone["requests"])
    for _ in range(ROUNDS):
        for table, rows in facts.rows.items():
            gone[table] |= {key for key, row in rows.items() if _hangs_on(table, key, row, gone)}
    for table, keys in gone.items():
        for key in keys:
            del facts.rows[table][key]
    return gone


def _reviews_of(facts: Facts, requests: Collection[str]) -> set[str]:
    """Reviews of these cases: one of a use of offline cards hangs on no grant."""
    return {key for case in requests for table, key in facts.case_rows[case] if table == "reviews"}


def _took_elsewhere(facts: Facts, key: str, systems: Collection[str]) -> bool:
    """Whether a download took only what belongs to other systems."""
    taken = facts.taken[key].systems
    return bool(taken) and taken.isdisjoint(systems)


def _elsewhere(table: str, key: str, row: Row, systems: Collection[str]) -> bool:
    system = key if table == "systems" else row.get("system_id")
    return system is not None and system not in systems


def _hangs_on(table: str, key: str, row: Row, gone: dict[str, set[str]]) -> bool:
    if any(row.get(column) in gone[other] for column, other in LINKS.items() if row.get(column) is not None):
        return True
    if table in ("judgements", "sittings"):
        return key.split(":")[0] in gone["reviews"] or key in gone["items"] or key.split(":")[0] in gone["campaigns"]
    if table == "findings":
        subject = row.get("subject_id")
        return any(subject in keys for keys in list(gone.values()))
    if (
        table == "policy_confirmations"
    ):  # not a link: a request may name another system's policy, and the tests are there to find it
        return row["policy_id"] in gone["policies"]
    return table in ("removals", "remedies") and key in gone["grants"] | gone["items"]
