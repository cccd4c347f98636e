"""Who knows of a request: told when, seen when, decided what. One line for each person or list, most concerned first."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from portal.access_requests.models import Approval
from portal.grants.life import Life
from portal.notifications.queries import AlertLine

CALLS = ("request.asked", "request.bypass_opened")  # alerts that call somebody; all others report


@dataclass(frozen=True)
class Told:
    """One line. ``state`` is how far the alert got: queued, late, sent or seen."""

    name: str
    told_at: datetime
    state: str
    seen_at: datetime | None
    approval: Approval | None


def told(life: Life) -> list[Told]:
    """Everybody who was called, with what they did since."""
    seen = {each.person_id: each.at for each in life.seen}
    decided = {each.approver_id: each for each in life.approvals}
    return [_line(alert, seen, decided) for alert in life.alerts if alert.kind in CALLS]


def _line(alert: AlertLine, seen: dict[UUID, datetime], decided: dict[UUID, Approval]) -> Told:
    key = alert.recipient_id
    if key is None:
        return Told(alert.recipient, alert.queued_at, alert.state, alert.acknowledged_at, None)
    times = [at for at in (seen.get(key), alert.acknowledged_at) if at is not None]
    return Told(alert.recipient, alert.queued_at, alert.state, min(times, default=None), decided.get(key))


def awaited(life: Life) -> str:
    """What is awaited, in one sentence; read out when it changes."""
    if life.stage == "waiting":
        return _awaited_approval(life)
    grant = life.grant
    if grant is None:
        return ""
    if life.stage == "opening":
        return (
            "It could not be opened yet. It is tried again."
            if grant.last_trouble
            else "Everything is decided. The target is being opened."
        )
    if life.stage == "closing":
        return (
            f"{'It could not be ended yet' if grant.last_trouble else 'Not read back yet'}: access may still be live."
        )
    return ""


def _awaited_approval(life: Life) -> str:
    if life.late:
        return "Nobody answered in time. It lapses within seconds."
    names = [
        person.name
        for person in life.audience.approvers
        if all(person.pk != each.approver_id for each in life.approvals)
    ]
    listed = ", ".join(names[:-1]) + (" or " if len(names) > 1 else "") + (names[-1] if names else "nobody")
    need = "one yes" if life.approvals_left == 1 else f"{life.approvals_left} more yeses"
    return f"Waiting for {need} from {listed}. {_seen(sum(each.seen_at is not None for each in told(life)))}"


def _seen(count: int) -> str:
    return (
        "Nobody has seen it yet."
        if count == 0
        else "One person has seen it."
        if count == 1
        else f"{count} people have seen it."
    )
