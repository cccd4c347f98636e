"""Facts about times in which something had to be there: answers from outside, windows of sources, looks at the guards, anchors.

What nobody did is a row, not an absence.
"""

from bisect import bisect_left

from audit.facts.fold.state import Facts, Listing, Row
from audit.facts.given import MILLISECONDS, Period
from audit.facts.parameters import Parameter

DAY = MILLISECONDS["day"]
NEVER_CONNECTED = ("tickets", "changes")


def feeds(facts: Facts, period: Period, parameters: dict[str, Parameter]) -> None:
    """Slots in which an answer was due. Tickets and changes are not connected yet, which is a slot without an answer."""
    for kind in NEVER_CONNECTED:
        facts.rows["feeds"][f"feed:{kind}"] = _feed(kind, None, period.start_at, period.end_at, 0)
    _personnel(facts, period, parameters["personnel_days"].value * DAY)
    length = parameters["listing_hours"].value * MILLISECONDS["hour"]
    for system, row in facts.each("systems"):
        start = max(period.start_at, row.get("in_scope_from") or period.start_at)
        if not row.get("lists_access"):
            facts.rows["feeds"][f"feed:listing:{system}"] = _feed("listing", system, start, period.end_at, 0)
            continue
        taken = sorted(each.at for each in facts.listings.values() if each.system == system and each.at is not None)
        for from_at in range(start, min(period.end_at, period.as_of) - length + 1, length):
            answered = bisect_left(taken, from_at) < bisect_left(taken, from_at + length)
            key = f"feed:listing:{system}:{from_at}"
            facts.rows["feeds"][key] = _feed("listing", system, from_at, from_at + length, int(answered))


def _personnel(facts: Facts, period: Period, length: int) -> None:
    """Lists that were due from the end of the period backwards; one that was taken in a slot answers it. Never connected: one slot unanswered."""
    end = min(period.end_at, period.as_of)
    if not facts.personnel_taken or end <= period.start_at:
        facts.rows["feeds"]["feed:personnel"] = _feed("personnel", None, period.start_at, period.end_at, 0)
        return
    for to_at in range(end, period.start_at + min(length, end - period.start_at) - 1, -length):
        answered = any(to_at - length <= taken < to_at for taken in facts.personnel_taken)
        facts.rows["feeds"][f"feed:personnel:{to_at}"] = _feed("personnel", None, to_at - length, to_at, int(answered))


def _feed(kind: str, system: str | None, from_at: int, to_at: int, answered: int) -> Row:
    return {"kind": kind, "system_id": system, "from_at": from_at, "to_at": to_at, "answered": answered}


def listed_grants(facts: Facts) -> None:
    """Rights that the log knows and a listing did not find: the other half of the union."""
    for name, listing in facts.listings.items():
        for key, grant in facts.each("grants"):
            if key not in listing.grants and _open_then(grant, listing):
                facts.derive(
                    "access_matches", f"{name}:{key}", rests_on=("grants", key), at=listing.at, listing_id=name,
                    system_id=listing.system, person_id=grant.get("person_id"),
                    privilege_id=grant.get("privilege_id"), seen_in_target=0, seen_in_log=1, request_count=1,
                )  # fmt: skip


def _open_then(grant: Row, listing: Listing) -> bool:
    opened, over, at = grant.get("opened_at"), grant.get("over_at"), listing.at
    if at is None or opened is None or grant.get("system_id") != listing.system:
        return False
    return bool(opened <= at and (over is None or at < over))


def windows_nobody_judged(facts: Facts, period: Period) -> None:
    """A grant, or a source in the period, for which completeness gave no verdict."""
    for key, grant in facts.each("grants"):
        if grant.get("opened_at") is not None and key not in facts.windows_of_grants:
            over = grant.get("over_at")
            facts.derive(
                "source_windows", f"{key}:window", rests_on=("grants", key), source_id=None,
                system_id=grant.get("system_id"), from_at=grant["opened_at"], to_at=over or period.as_of,
                verdict=_no_verdict(facts, grant, over is None or over > period.as_of),
            )  # fmt: skip
    for source, row in facts.sources.items():
        from_at = max(row["since"], period.start_at)
        to_at = min(row["until"] or period.end_at, period.end_at, period.as_of)
        if from_at < to_at and not _judged(facts, source, from_at, to_at):
            facts.rows["source_windows"][f"{source}:window"] = {
                "source_id": source, "system_id": row["system_id"], "from_at": from_at, "to_at": to_at,
                "verdict": "unknown",
            }  # fmt: skip


def _no_verdict(facts: Facts, grant: Row, running: bool) -> str:
    if not any(row["system_id"] == grant.get("system_id") for row in facts.sources.values()):
        return "not covered"
    return "pending" if running else "unknown"


def _judged(facts: Facts, source: str, from_at: int, to_at: int) -> bool:
    return any(
        window.get("source_id") == source and window["from_at"] < to_at and window["to_at"] >= from_at
        for _, window in facts.each("source_windows")
    )


def guard_checks(facts: Facts, period: Period, parameters: dict[str, Parameter]) -> None:
    """A check of each store falls due at the end of every slot since its first one; the worst of a slot's checks counts.

    A slot that lies across an edge of the period is judged by what was found in the period; the rest belongs to the one beside it.
    """
    length = parameters["guard_check_hours"].value * MILLISECONDS["hour"]
    for store, checks in facts.guards.items():
        begun = checks[0]["done_at"]
        for due_at in range(begun + length, min(period.end_at, period.as_of) + length, length):
            held = [each for each in checks if due_at - length <= each["done_at"] < due_at]
            within = [each for each in held if period.start_at <= each["done_at"] < period.end_at]
            if within or (not held and period.start_at <= due_at < period.end_at):
                key = f"guard:{store}:{due_at}"
                facts.rows["guard_checks"][key] = {"store": store, "due_at": due_at, **_worst(within)}


def _worst(held: list[Row]) -> Row:
    """A right that was found once was there, whatever a later check of the same slot says; what one could not read is not known."""
    if not held:
        return {}
    least = {name: min(each[name] for each in held) for name in ("guards_on", "sealing_key_apart")}
    rights = {}
    for name in ("alter_rights", "other_writers"):
        known = [each[name] for each in held if each[name] is not None]
        rights[name] = max(known) if known and (len(known) == len(held) or max(known) > 0) else None
    return {"done_at": held[-1]["done_at"], **least, **rights}


def anchor_slots(facts: Facts, period: Period, parameters: dict[str, Parameter]) -> None:
    """Slots in which a checkpoint should have been vouched for by an outside party, since the log began."""
    if facts.first_at is None:
        return
    length = parameters["anchor_minutes"].value * MILLISECONDS["minute"]
    for from_at in range(period.start_at, min(period.end_at, period.as_of), length):
        if from_at + length > facts.first_at:
            facts.rows["anchor_slots"][f"slot:{from_at}"] = {"from_at": from_at, "to_at": from_at + length}
