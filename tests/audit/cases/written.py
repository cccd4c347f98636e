"""Entries as gather, completeness and reviewers write them, around a grant that went by the real actions."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from audit.log.append import Actor, Entry, append_many, now_ms, process
from audit.sources.records import activity_uuid, session_uuid
from portal.eligibility.models import AUDITOR, RoleAssignment
from portal.grants.models import Grant
from tests.worlds import World, _dated, _people

GATHER, JUDGE = process("gather"), process("completeness")
SOURCE = str(uuid.UUID(int=7))


@dataclass(frozen=True)
class Did:
    """One action on the target."""

    statement: str
    kind: str = "data_read"
    outcome: str = "no_error_seen"
    object: str = "invoices"
    state_code: str = ""


def write(*entries: Entry) -> None:
    """In one transaction."""
    with transaction.atomic():
        append_many(entries)


def entry(grant: Grant, name: str, by: Actor = GATHER, at: int | None = None, **fields: Any) -> Entry:
    """An entry about a grant."""
    return Entry(name, by, fields, str(grant.request_id), f"grant:{grant.pk}", at)


def do(grant: Grant, acts: Iterable[Did], *, session: str = "6741a0.1f3c", first: int = 2) -> list[str]:
    """A session with these actions; ids of the activities."""
    session_id, at = session_uuid(SOURCE, session), now_ms()
    known: dict[str, Any] = {
        "session_id": session_id,
        "source_id": SOURCE,
        "system_id": grant.system_id,
        "grant_id": grant.pk,
    }
    entries = [
        entry(grant, "session.started", **known, source_session=session, marker=grant.login, login=grant.login, database="invoicing",
              remote="10.2.3.4", started_at=at, received_at=at)
    ]  # fmt: skip
    ids = []
    for number, act in enumerate(acts, first):
        ids.append(activity_uuid(session_id, number))
        entries.append(entry(
            grant, "activity.recorded", activity_id=ids[-1], **known, person_id=grant.person_id, privilege_id=grant.privilege_id,
            **_class(act.kind), at_least=act.kind == "data_change", outcome=act.outcome, state_code=act.state_code or None,
            happened_at=at + number * 1000, zone_known=True, received_at=at + number * 1000 + 40, source_number=number, last_number=number,
            statement=act.statement, statement_length=len(act.statement), object=act.object, raw_sha256="ab" * 32, raw_salt="cd" * 32,
        ))  # fmt: skip
    write(*entries)
    return ids


def _class(kind: str) -> dict[str, Any]:
    return {"class": kind}


def learn(grant: Grant, activity: str, outcome: str, state_code: str = "42501", session: str = "6741a0.1f3c") -> None:
    """The target's log told later how an action went."""
    write(entry(
        grant, "activity.outcome_learned", activity_id=activity, session_id=session_uuid(SOURCE, session), source_id=SOURCE, grant_id=grant.pk,
        outcome=outcome, state_code=state_code, happened_at=now_ms(), source_number=9, received_at=now_ms(), raw_sha256="ab" * 32, raw_salt="cd" * 32,
    ))  # fmt: skip


def judge(
    grant: Grant, verdict: str, ranges: Iterable[str] = (), reasons: Iterable[str] = (), source: str = SOURCE
) -> None:
    """What completeness says of the grant's window."""
    grant.refresh_from_db()
    assert grant.opened_at
    start = int(grant.opened_at.timestamp() * 1000)
    write(entry(
        grant, "completeness.judged", JUDGE, window_id=f"{source}:{grant.pk}", source_id=source, system_id=grant.system_id, kind="grant",
        grant_id=grant.pk, from_at=start, to_at=now_ms(), verdict=verdict, ranges=list(ranges) or None, reasons=list(reasons) or None,
    ))  # fmt: skip


def review(grant: Grant, by: Actor, accepted: Iterable[str] = (), **fields: Any) -> None:
    """A review from due to submitted."""
    known: dict[str, Any] = {"review_id": str(uuid.UUID(int=grant.pk.int + 1)), "grant_id": grant.pk}
    said: dict[str, Any] = {
        "system_id": grant.system_id, "reviewer_id": by.id, "due_at": now_ms() + 3_600_000, "answers": {"Q01": "yes", "Q02": "yes", "Q03": "no"},
        "answers_missing": 0, "adverse_answers": 0, "emergency_upheld": True, "accepted_activities": list(accepted), "outcome": "clean",
        "statement_sha256": "ef" * 32, "comments": "Plain and complete.", "involved": [],
    }  # fmt: skip
    write(
        entry(
            grant,
            "review.due",
            process("sweep"),
            **known,
            system_id=grant.system_id,
            due_at=now_ms() + 3_600_000,
            pool=[by.id],
        ),
        entry(grant, "review.claimed", by, **known, reviewer_id=by.id),
        entry(grant, "review.submitted", by, **known, **{**said, **fields}),
    )


@transaction.atomic
def hire_auditor(world: World, name: str = "vera") -> None:
    """An auditor of all systems."""
    at = world.policy.written_at
    hired = _people((name,), at)
    world.people.update(hired)
    RoleAssignment._base_manager.create(person=hired[name], role=AUDITOR, **_dated(world.people, hired[name], at))
