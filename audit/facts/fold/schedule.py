"""Facts about what was due: attestations, drills, restores.

What nobody did is a row, not an absence.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator

from audit.facts.fold.state import AccountRun, Facts, Row
from audit.facts.given import MILLISECONDS, Period
from audit.facts.parameters import Parameter

DAY = MILLISECONDS["day"]
ELIGIBILITY, ROLES, ACCOUNTS = "eligibility", "roles", "accounts"


def duties(facts: Facts, period: Period, parameters: dict[str, Parameter]) -> None:
    """Attestations, drills, restores and the self-test that fell due up to the end of the period."""
    every = parameters["attestation_days"].value
    for system, row in facts.each("systems"):
        if row.get("in_scope_from") is not None:
            _attestations(facts, system, ELIGIBILITY, row["in_scope_from"], every[ELIGIBILITY], period.end_at)
            _drills(
                facts,
                system,
                row["in_scope_from"],
                parameters["drill_days"].value,
                parameters["drill_after_change_days"].value,
                period,
            )
    _attestations_of_roles(facts, every[ROLES], period)
    _attestations_of_accounts(facts, every[ACCOUNTS], period)
    if facts.first_at is not None:
        _restores(facts, facts.first_at, parameters["restore_days"].value, period.end_at)
    if period.as_of >= period.end_at:
        _duty(facts, "self_test", None, period.end_at - 1, due_at=period.end_at - 1)


def _attestations_of_roles(facts: Facts, every: int, period: Period) -> None:
    """Roles are attested for each system, and those for all systems by themselves, since the log first says that it is owed."""
    if not any(row.get("subject_kind") == ROLES for _, row in facts.each("duties")):
        return
    for system, row in facts.each("systems"):
        if row.get("in_scope_from") is not None:
            _attestations(facts, system, ROLES, row["in_scope_from"], every, period.end_at)
    begun = _first_owed(facts, None, ROLES)
    if begun is not None:
        _attestations(facts, None, ROLES, begun, every, period.end_at)


def _attestations_of_accounts(facts: Facts, every: int, period: Period) -> None:
    """Sealed accounts are attested for each system that has some, since the log first says that it is owed and as long as there are any.

    Those of another run count anew. What a run still owed when its last account went, nobody missed.
    """
    for system, _ in facts.each("systems"):
        first = _first_owed(facts, system, ACCOUNTS)
        if first is not None:
            for run, owed in _by_run(facts, system, facts.account_runs[system] or [AccountRun(first)]):
                _attestations_in(facts, system, run, owed, max(first, run.began), every, period.end_at)


def _by_run(facts: Facts, system: str, runs: list[AccountRun]) -> list[tuple[AccountRun, list[str]]]:
    """Each run with the keys of the attestations that count from a time in it."""
    found: list[tuple[AccountRun, list[str]]] = [(run, []) for run in runs]
    for key, row in facts.each("duties"):
        if _is_attestation(row, system, ACCOUNTS):
            place = bisect_right([run.began for run in runs], _counts_from(row)) - 1
            found[max(0, place)][1].append(key)
    return found


def _attestations_in(
    facts: Facts, system: str, run: AccountRun, owed: list[str], since: int, every: int, end_at: int
) -> None:
    rows = facts.rows["duties"]
    for key in owed:
        if run.over is not None and rows[key]["due_at"] >= run.over and rows[key].get("done_at") is None:
            del rows[key]
    until = end_at if run.over is None else min(run.over, end_at)
    _counted(facts, system, ACCOUNTS, since, every, until, [rows[key] for key in owed if key in rows])


def _first_owed(facts: Facts, system: str | None, what: str) -> int | None:
    """From when the first attestation that the log calls owed was counted."""
    known = (row for _, row in facts.each("duties") if _is_attestation(row, system, what))
    first = min(known, key=_due_at, default=None)
    return None if first is None else _counts_from(first)


def _counts_from(duty: Row) -> int:
    return int(duty["due_at"] - (duty.get("days_since_previous") or 0) * DAY)


def _attestations(facts: Facts, system: str | None, what: str, scope_from: int, every: int, until: int) -> None:
    """Count the days between attestations of a list, and put a row where one should have been set and was not."""
    known = [row for _, row in facts.each("duties") if _is_attestation(row, system, what)]
    _counted(facts, system, what, scope_from, every, until, known)


def _counted(facts: Facts, system: str | None, what: str, since: int, every: int, until: int, known: list[Row]) -> None:
    done = seen = since
    for duty in sorted(known, key=_due_at):
        _gap(facts, system, what, seen, duty["due_at"], every, done)
        held = duty.get("done_at")
        duty["days_since_previous"] = max(0, (held or duty["due_at"]) - done) // DAY
        seen = held or duty["due_at"]
        done = held or done
    _gap(facts, system, what, seen, until, every, done)


def _due_at(row: Row) -> int:
    return int(row["due_at"])


def _is_attestation(row: Row, system: str | None, what: str) -> bool:
    return (row["kind"], row.get("subject_kind"), row.get("system_id")) == ("campaign", what, system)


def _gap(facts: Facts, system: str | None, what: str, seen: int, until: int, every: int, done: int) -> None:
    """Missed attestations between what was seen last and the next."""
    for due_at in _missed(seen, until, every):
        number = str(due_at) if what == ELIGIBILITY else f"{what}:{due_at}"
        _duty(
            facts, "campaign", system, number, subject_kind=what, due_at=due_at,
            days_since_previous=(due_at - done) // DAY,
        )  # fmt: skip


def _missed(seen: int, until: int, every: int) -> Iterator[int]:
    """Due times that passed with nothing there, whole days counted."""
    while (until - seen) // DAY > every:
        seen += every * DAY
        yield seen


def _drills(facts: Facts, system: str, scope_from: int, every: int, after_change: int, period: Period) -> None:
    """A drill that worked does the duty that is next due. One that failed does none: repeated in time, nothing was missed (BG-12).

    Until it is repeated it stands at the duty that is next due, so that the period in which it was held knows of it.
    """
    seen = done = scope_from
    changes, drills = facts.major_changes[system], _drilled(facts, system)
    for over_at in [at for at, worked in drills if worked]:
        seen = _missed_drills(facts, system, seen, done, _owed(seen, over_at, every, after_change, changes), drills)
        _duty(
            facts, "drill", system, over_at, due_at=_next(seen, every, after_change, changes), done_at=over_at, ok=1,
            days_since_previous=(over_at - done) // DAY,
        )  # fmt: skip
        seen = done = over_at
    seen = _missed_drills(facts, system, seen, done, _owed(seen, period.end_at, every, after_change, changes), drills)
    if (failed := _failed_since(drills, seen, period.end_at)) is not None:
        due_at = _next(seen, every, after_change, changes)
        _duty(
            facts, "drill", system, due_at, due_at=due_at, done_at=failed, ok=0, days_since_previous=(due_at - done) // DAY
        )  # fmt: skip


def _missed_drills(
    facts: Facts, system: str, seen: int, done: int, owed: Iterable[int], drills: list[tuple[int, int]]
) -> int:
    """A row for each due time by which no drill had worked, and whether one had been tried; gives the last of them."""
    for due_at in owed:
        failed = [over_at for over_at, worked in drills if not worked and seen < over_at <= due_at]
        _duty(
            facts, "drill", system, due_at, due_at=due_at, days_since_previous=(due_at - done) // DAY,
            **({"done_at": failed[-1], "ok": 0} if failed else {}),
        )  # fmt: skip
        seen = due_at
    return seen


def _restores(facts: Facts, begun: int, every: int, until: int) -> None:
    """A restore that verified does the duty that is next due.

    One that did not does none, and stands at the duty that it did not do, or that is next due as long as nobody repeats it.
    """
    seen = begun
    for at in sorted(at for at, verified in facts.restores if verified and at < until):
        seen = _missed_restores(facts, seen, at, every)
        _duty(facts, "restore", None, at, due_at=seen + every * DAY, done_at=at, ok=1)
        seen = at
    seen = _missed_restores(facts, seen, until, every)
    repeated = any(verified and at >= until for at, verified in facts.restores)
    if not repeated and (failed := _failed_since(facts.restores, seen, until)) is not None:
        due_at = seen + every * DAY
        _duty(facts, "restore", None, due_at, due_at=due_at, done_at=failed, ok=0)


def _failed_since(tries: Iterable[tuple[int, int]], seen: int, until: int) -> int | None:
    """The last of those that failed after the last duty and before the end of the period."""
    return max((at for at, worked in tries if not worked and seen < at < until), default=None)


def _missed_restores(facts: Facts, seen: int, until: int, every: int) -> int:
    for due_at in _missed(seen, until, every):
        failed = [at for at, verified in sorted(facts.restores) if not verified and seen < at <= due_at]
        _duty(facts, "restore", None, due_at, due_at=due_at, **({"done_at": failed[-1], "ok": 0} if failed else {}))
        seen = due_at
    return seen


def _next(seen: int, every: int, after_change: int, changes: list[int]) -> int:
    """So many days after the last duty, or after the first major change since, whichever comes first."""
    sooner = [change + after_change * DAY for change in changes if change > seen]
    return min([seen + every * DAY, *sooner])


def _owed(seen: int, until: int, every: int, after_change: int, changes: list[int]) -> Iterator[int]:
    """Due times that passed with nothing there, whole days counted."""
    while (until - (due_at := _next(seen, every, after_change, changes))) // DAY > 0:
        seen = due_at
        yield due_at


def _drilled(facts: Facts, system: str) -> list[tuple[int, int]]:
    """When the drills of a system were over, and whether they worked: by their sheets, or, unjudged, whether the removal was confirmed."""
    judged = [
        (row["over_at"], row["worked"])
        for case, row in facts.drills.items()
        if row["system_id"] == system and case not in facts.damaged_cases
    ]
    unjudged = [
        (grant["over_at"], int(key in facts.rows["removals"]))
        for key, grant in facts.each("grants")
        if grant.get("over_at") is not None
        and grant.get("system_id") == system
        and grant.get("request_id") not in facts.drills
        and facts.get("requests", grant.get("request_id")).get("mode") == "drill"
    ]
    return sorted(judged + unjudged)


def _duty(facts: Facts, kind: str, system: str | None, number: int | str, **columns: int | str | None) -> None:
    key = ":".join(("due", kind, system or "portal", str(number)))
    facts.rows["duties"][key] = {"kind": kind, "subject_kind": None, "system_id": system, **columns}
