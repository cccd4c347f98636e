"""Many cases in the log, written in batches as the portal, gather and completeness write them, without the targets behind them."""

import uuid
from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.db import transaction

from audit.log.append import Actor, Entry, append_many, now_ms, process
from tests.worlds import World, actor

MINUTE = 60_000
BATCH = 1000
PORTAL, SWEEP, GATHER, JUDGE = process("portal"), process("sweep"), process("gather"), process("completeness")
KINDS = (
    ("data_read", "no_error_seen"),
    ("data_change", "no_error_seen"),
    ("catalogue_read", "no_error_seen"),
    ("data_read", "failed"),
    ("schema_change", "denied"),
)
STATEMENT = "UPDATE invoices SET state = 'queued', tried_at = now() WHERE id = {} AND state = 'stuck' -- ticket INC-2041, asked for by the desk"
BESIDE = 24
"""Entries of a case beside its actions."""
ID = uuid.UUID(int=0xB6EA << 64)


def write(world: World, cases: int, entries_each: int = 50, first: int = 0) -> list[str]:
    """Cases of a system, the newest last, each with so many entries; their ids. Every seventh is declined."""
    people = [actor(world.people[name]) for name in ("ann", "ben")]
    start = now_ms() - (first + cases) * 30 * MINUTE
    ids = [str(uuid.uuid5(ID, f"{world.system.pk} {number}")) for number in range(first, first + cases)]
    numbered = list(enumerate(ids, first))
    told = (
        entry
        for number, case in numbered
        for entry in _case(world, case, number, people[number % 2], start + number * 30 * MINUTE, entries_each)
    )
    while some := list(islice(told, BATCH)):
        with transaction.atomic():
            append_many(some)
    return ids


def _case(world: World, case: str, number: int, by: Actor, at: int, entries: int) -> Iterator[Entry]:
    bypass, declined = number % 5 == 0, number % 7 == 3
    yield _asked(world, case, number, by, at, bypass=bypass)
    if declined:
        why = {"approval_id": _id(case, "approval"), "comment": "The runbook covers it."}
        yield Entry("request.declined", actor(world.ines), why, case, f"request:{case}", at + MINUTE)
        return
    if not bypass:
        yes = {"approval_id": _id(case, "approval"), "approvals": 1, "approvals_needed": 1}
        yield Entry("request.approved", actor(world.ines), yes, case, f"request:{case}", at + MINUTE)
    yield from _use(world, case, number, by, at + 2 * MINUTE, entries - BESIDE)


def _asked(world: World, case: str, number: int, by: Actor, at: int, *, bypass: bool) -> Entry:
    return Entry("request.made", by, {
        "responder_id": by.id, "system_id": world.system.pk, "system_name": world.system.name, "privilege_id": world.privilege.pk,
        "privilege_name": world.privilege.name, "mode": "bypass" if bypass else "approved", "criterion": "outage", "category": "availability",
        "reason": f"Disk of node {number} at 98 percent, writes are failing and customers are affected.", "reason_length": 80, "reason_repeats": False,
        "intended_classes": ["data_read", "data_change"], "incident_ref": f"INC-{number}", "minutes": 30, "policy_id": world.policy.pk,
        "policy_number": 1, "policy_sha256": world.policy.sha256, "approvals_needed": 0 if bypass else 1, "asked": [str(world.ines.pk), str(world.jon.pk)],
        "told": [str(world.mo.pk)], "ends_about": at + 30 * MINUTE,
    }, case, f"request:{case}", at)  # fmt: skip


def _use(world: World, case: str, number: int, by: Actor, at: int, actions: int) -> Iterator[Entry]:
    grant, session, source = _id(case, "grant"), _id(case, "session"), str(uuid.UUID(int=9))
    subject, login = f"grant:{grant}", f"bg_{number}"
    about = {"grant_id": grant, "person_id": by.id, "system_id": world.system.pk, "privilege_id": world.privilege.pk}
    seen = {"session_id": session, "source_id": source, "system_id": world.system.pk, "grant_id": grant}

    def say(name: str, who: Actor, when: int, **fields: Any) -> Entry:
        return Entry(name, who, fields, case, subject, when)

    yield say(
        "grant.authorised",
        PORTAL,
        at,
        **about,
        number=number,
        mode="approved",
        minutes=30,
        policy_sha256="ab" * 32,
        exposes_secret=False,
    )
    yield say(
        "grant.opening", PORTAL, at, grant_id=grant, attempt=1, login=login, marker=login, expires_at=at + 30 * MINUTE
    )
    yield say("grant.activated", PORTAL, at + 500, **about, login=login, marker=login, marker_ref="1", opened_at=at + 500, provisioned_at=at + 400,
              expires_at=at + 30 * MINUTE, statement_logging=True, superuser=False, exposes_secret=False, review_due_hours=72)  # fmt: skip
    for place, person in enumerate((world.ines, world.jon, world.mo, world.ann)):
        alert = _id(case, f"alert {place}")
        told = {
            "alert_id": alert,
            "recipient_id": person.pk,
            "channel": "mail",
            "kind": "grant.opened",
            "grant_id": grant,
            "receipts": False,
        }
        yield say("alert.queued", PORTAL, at + 500, **told)
        yield say("alert.sent", PORTAL, at + 900, **told, sent_at=at + 900, attempts=1)
    yield say("grant.revealed", by, at + 2000, grant_id=grant, person_id=by.id)
    yield say("session.started", GATHER, at + 3000, **seen, source_session=f"67a.{number}", marker=login, login=login, database="billing", remote="10.2.3.4",
              started_at=at + 3000, received_at=at + 3000)  # fmt: skip
    for place in range(2, max(0, actions) + 2):
        kind, outcome = KINDS[place % 5]
        yield say("activity.recorded", GATHER, at + place * 1000, activity_id=_id(case, f"act {place}"), **seen, person_id=by.id,
                  **{"class": kind}, at_least=False, outcome=outcome, happened_at=at + place * 1000, zone_known=True,
                  received_at=at + place * 1000 + 40, source_number=place, last_number=place,
                  statement=STATEMENT.format(place), statement_length=len(STATEMENT), object="invoices", raw_sha256="ab" * 32, raw_salt="cd" * 32)  # fmt: skip
    yield from _end(world, case, at + 25 * MINUTE, grant, seen, subject)


def _end(world: World, case: str, at: int, grant: str, seen: dict[str, Any], subject: str) -> Iterator[Entry]:
    kim, review = actor(world.kim), {"review_id": _id(case, "review"), "grant_id": grant}
    times = {"ended_at": at, "over_at": at}

    def say(name: str, who: Actor, when: int, **fields: Any) -> Entry:
        return Entry(name, who, fields, case, subject, when)

    yield say(
        "session.ended",
        GATHER,
        at,
        **seen,
        source_session="67a",
        ended_at=at,
        last_number=40,
        state="complete",
        missing=0,
        received_at=at,
    )
    yield say("grant.expired", SWEEP, at, grant_id=grant, **times)
    yield say("grant.closing", SWEEP, at, grant_id=grant, attempt=1)
    yield say("grant.read_back", SWEEP, at + 1000, grant_id=grant, system_id=world.system.pk, clear=True, read_at=at + 1000, removed_at=at + 900,
              read_back_from="target", remainders=[], drift=[], sessions_ended=0, attempt=1)  # fmt: skip
    yield say("grant.ended", SWEEP, at + 1000, grant_id=grant, person_id=world.ann.pk, system_id=world.system.pk, cause="expired", **times, removed_at=at + 900,
              confirmed_at=at + 1000, read_back_from="target", review_due_at=at + 4320 * MINUTE)  # fmt: skip
    yield say("completeness.judged", JUDGE, at + MINUTE, window_id=_id(case, "window"), source_id=seen["source_id"], system_id=world.system.pk, kind="grant",
              grant_id=grant, from_at=at - 25 * MINUTE, to_at=at, verdict="complete", reasons=["1 session, 40 numbered lines, each there once."])  # fmt: skip
    yield say(
        "review.due",
        SWEEP,
        at + 1000,
        **review,
        system_id=world.system.pk,
        due_at=at + 4320 * MINUTE,
        pool=[str(world.kim.pk), str(world.lea.pk)],
    )
    yield say("review.submitted", kim, at + 60 * MINUTE, **review, system_id=world.system.pk, reviewer_id=kim.id, due_at=at + 4320 * MINUTE,
              answers={f"Q{each:02d}": "yes" for each in range(1, 11)}, answers_missing=0, adverse_answers=0, emergency_upheld=True, accepted_activities=[],
              outcome="clean", statement_sha256="ef" * 32, comments="Plain and complete.", involved=[])  # fmt: skip


def _id(case: str, what: str) -> str:
    return str(uuid.uuid5(ID, f"{case} {what}"))
