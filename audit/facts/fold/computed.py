"""Facts that follow from others: ends of grants, removals, pairs of roles, use of eligibilities, sittings."""

from collections import defaultdict
from itertools import combinations
from statistics import median

from audit.facts.fold.state import Facts, Row
from audit.facts.given import MILLISECONDS, Period
from audit.facts.parameters import Parameter

DAY = MILLISECONDS["day"]
HIGH = "high"
READERS_OF_A_PACK = frozenset({"auditor"})
READERS_OF_A_CASE = frozenset({"auditor", "owner", "reviewer", "approver", "administrator"})


def grants_over(facts: Facts) -> None:
    """The earlier of end and expiry; a grant that never opened has nothing that could be over."""
    for _, grant in facts.each("grants"):
        ends = [grant[name] for name in ("ended_at", "expires_at") if grant.get(name) is not None]
        grant["over_at"] = min(ends) if ends and grant.get("opened_at") is not None else None


def removals(facts: Facts) -> None:
    """The first read-back, once a grant was over, that showed neither the right nor a live session."""
    for key, clear in facts.read_backs.items():
        if clear:
            first = min(clear, key=lambda row: int(row["confirmed_at"]))
            facts.derive("removals", key, rests_on=("grants", key), **first)


def roles_for_all_systems(facts: Facts) -> None:
    """A role for all systems as one row for each system in scope."""
    for key, role in list(facts.each("roles")):
        if role.get("system_id") is None and facts.rows["systems"]:
            del facts.rows["roles"][key]
            for system in facts.rows["systems"]:
                facts.derive("roles", f"{key}:{system}", rests_on=("roles", key), **{**role, "system_id": system})


def role_pairs(facts: Facts) -> None:
    """Two different roles that one person held at the same time for the same system."""
    held: dict[tuple[str, str], list[tuple[str, Row]]] = defaultdict(list)
    for key, role in facts.each("roles"):
        held[role["person_id"], role.get("system_id") or ""].append((key, role))
    for (person, system), roles in held.items():
        for (first, a), (second, b) in combinations(sorted(roles, key=lambda each: each[0]), 2):
            ends = [each["ended_at"] for each in (a, b) if each.get("ended_at") is not None]
            from_at, to_at = max(a.get("granted_at", 0), b.get("granted_at", 0)), min(ends, default=None)
            if a["role"] != b["role"] and (to_at is None or from_at < to_at):
                facts.derive(
                    "role_pairs", f"{first}+{second}", rests_on=("roles", first), person_id=person,
                    system_id=system or None, role_a=a["role"], role_b=b["role"], from_at=from_at, to_at=to_at,
                )  # fmt: skip


def downloads(facts: Facts) -> None:
    """Whether who took evidence away held a role for all of its systems then, by the log's own roles. Not known: not said."""
    held: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for _, role in facts.each("roles"):
        held[role["person_id"], role.get("system_id") or ""].append(role)
    for key, row in facts.each("downloads"):
        taken = facts.taken[key]
        if taken.systems:
            roles = READERS_OF_A_CASE if taken.case else READERS_OF_A_PACK
            each = (_held(held[row["person_id"], system], roles, row["at"]) for system in taken.systems)
            row["in_role_and_scope"] = int(_was_here(facts, row) and (_took_part(facts, row, taken.case) or all(each)))


def _held(roles: list[Row], wanted: frozenset[str], at: int) -> bool:
    return any(
        role["role"] in wanted
        and role.get("granted_at", 0) <= at
        and (role.get("ended_at") is None or role["ended_at"] > at)
        for role in roles
    )


def _was_here(facts: Facts, row: Row) -> bool:
    left_at = facts.get("people", row["person_id"]).get("left_at")
    return left_at is None or left_at > row["at"]


def _took_part(facts: Facts, row: Row, case: str) -> bool:
    """Who asked or decided may see their case without a role."""
    decided = [facts.get(table, key) for table, key in facts.case_rows.get(case, ()) if table == "approvals"]
    deciders = {each["approver_id"] for each in decided if each["decided_at"] <= row["at"]}
    return bool(case) and row["person_id"] in {facts.get("requests", case).get("responder_id"), *deciders}


def eligibility_use(facts: Facts, period: Period, parameters: dict[str, Parameter]) -> None:
    """How each eligibility was used in the period, and how many days ago it was used or drilled last."""
    window = parameters["repeat_window_days"].value * DAY
    opened = _openings(facts)
    for _, row in facts.each("eligibilities"):
        mine = opened[row.get("person_id"), row.get("system_id"), row.get("privilege_id")]
        since = row.get("granted_at", 0)
        uses = sorted((at, mode) for at, mode in mine if mode != "drill" and since <= at < period.end_at)
        within = [each for each in uses if each[0] >= period.start_at]
        last = max((at for at, _ in mine if since <= at < period.end_at), default=since)
        row["uses"] = len(within)
        row["bypass_share"] = sum(mode == "bypass" for _, mode in within) / len(within) if within else 0.0
        row["most_uses_in_window"] = max((_in_window(uses, at, window) for at, _ in within), default=0)
        row["days_since_use_or_drill"] = max(0, min(period.as_of, period.end_at) - last) // DAY


def _openings(facts: Facts) -> dict[tuple[str | None, ...], list[tuple[int, str]]]:
    found: dict[tuple[str | None, ...], list[tuple[int, str]]] = defaultdict(list)
    for _, grant in facts.each("grants"):
        if grant.get("opened_at") is not None:
            mode = facts.get("requests", grant.get("request_id")).get("mode", "none")
            found[grant.get("person_id"), grant.get("system_id"), grant.get("privilege_id")].append(
                (grant["opened_at"], mode)
            )
    return found


def _in_window(uses: list[tuple[int, str]], end: int, window: int) -> int:
    return sum(end - window < at <= end for at, _ in uses)


def returned_access(facts: Facts) -> None:
    """Whether what a campaign revoked stood again on the list of a later campaign of its kind and system."""
    for key, remedy in facts.each("remedies"):
        item = facts.get("items", key)
        later = _later_campaigns(facts, item)
        if item.get("decision") == "revoke" and later:
            again = any(
                other.get("subject_id") == item.get("subject_id") and other.get("campaign_id") in later
                for _, other in facts.each("items")
            )
            remedy["present_at_next_snapshot"] = int(again)


def _later_campaigns(facts: Facts, item: Row) -> set[str]:
    mine = facts.get("campaigns", item.get("campaign_id"))
    return {
        key
        for key, other in facts.each("campaigns")
        if (other.get("kind"), other.get("system_id")) == (mine.get("kind"), mine.get("system_id"))
        and other.get("snapshot_at", 0) > mine.get("snapshot_at", 0)
    }


def campaign_sittings(facts: Facts) -> None:
    """One reviewer's run through the items of one campaign."""
    runs: dict[tuple[str, str], list[tuple[str, Row]]] = defaultdict(list)
    for key, item in facts.each("items"):
        if item.get("decided_at") is not None and item.get("decision") != "transfer":
            runs[item["campaign_id"], item["reviewer_id"]].append((key, item))
    for (campaign, judge), rows in runs.items():
        seconds, marks = _seconds(rows), {key: facts.item_marks.get(key, {}) for key, _ in rows}
        critical = [took for key, took in seconds.items() if marks[key].get("risk") == HIGH]
        facts.derive(
            "sittings", f"{campaign}:{judge}", rests_on=("campaigns", campaign), kind="campaign", judge_id=judge,
            at=max(item["decided_at"] for _, item in rows), row_count=len(rows),
            keep_rate=sum(item["decision"] == "keep" for _, item in rows) / len(rows),
            active_seconds=int(sum(seconds.values())), median_seconds=float(median(seconds.values())) if seconds else None,
            evidence_skipped=sum(_skipped(item, marks[key]) for key, item in rows),
            shortest_critical_seconds=min(critical, default=None), bulk_over_mixed_risk=int((campaign, judge) in facts.mixed_bulks),
            same_comment_rows=_same(rows, marks),
        )  # fmt: skip


def _skipped(item: Row, marks: Row) -> bool:
    """Never on the screen; or of high risk, and its evidence was not looked at."""
    return item.get("shown_at") is None or (marks.get("risk") == HIGH and not marks.get("evidence_opened"))


def _same(rows: list[tuple[str, Row]], marks: dict[str, Row]) -> int:
    """Lines with the same words. Reasons are committed to with salts, so equal ones cannot be told: where the portal did not count them, all
    that were given is the most."""
    counted = [each["same_reason"] for each in marks.values() if "same_reason" in each]
    return max(counted) if counted else sum(item.get("reason_given") or 0 for _, item in rows)


def _seconds(rows: list[tuple[str, Row]]) -> dict[str, float]:
    """For each item, seconds from its showing, or from the decision before it where that is later, to its own decision."""
    took, previous = {}, 0
    for key, item in sorted(rows, key=lambda each: each[1]["decided_at"]):
        if item.get("shown_at") is not None:
            took[key] = (item["decided_at"] - max(item["shown_at"], previous)) / 1000
        previous = item["decided_at"]
    return took
