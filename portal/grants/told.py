"""Who knows of a request: told when, seen when, decided what. One line for each person or list, most concerned first."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from portal.access_requests.models import Approval
from portal.access_requests.turns import Turn, answered, begun, next_turn, turns
from portal.clock import minutes
from portal.grants.life import Life
from portal.notifications.queries import AlertLine

CALLS = ("request.asked", "request.bypass_opened")  # alerts that call somebody; all others report


@dataclass(frozen=True)
class Told:
    """One line. ``state`` is how far the alert got: queued, late, sent, looked_at or seen."""

    name: str
    told_at: datetime
    state: str
    seen_at: datetime | None
    approval: Approval | None
    over: str = "Mail"  # what is late or waits
    looked_at: datetime | None = None  # they had it before them and have not said so


def told(life: Life) -> list[Told]:
    """Everybody who was called, with what they did since."""
    seen = {each.person_id: each.at for each in life.seen}
    decided = {each.approver_id: each for each in life.approvals}
    return [_line(alert, seen, decided) for alert in life.alerts if alert.kind in CALLS]


def _line(alert: AlertLine, seen: dict[UUID, datetime], decided: dict[UUID, Approval]) -> Told:
    key = alert.recipient_id
    if key is None:
        over = "Mail" if alert.channel == "mail" else "Alert"
        return Told(alert.recipient, alert.queued_at, alert.state, alert.acknowledged_at, None, over)
    times = [at for at in (seen.get(key), alert.acknowledged_at) if at is not None]
    return Told(
        alert.recipient,
        alert.queued_at,
        alert.state,
        min(times, default=None),
        decided.get(key),
        looked_at=alert.looked_at,
    )


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
    found = turns(
        life.rules, life.audience.approvers, life.request.requested_at, life.audience.in_place, life.rotas, life.groups
    )
    decided = {each.approver_id for each in life.approvals}
    names = [each.name for turn in begun(found, life.at) for each in turn.people if each.pk not in decided]
    need = "one yes" if life.approvals_left == 1 else f"{life.approvals_left} more yeses"
    said = (
        f"Waiting for {need} from {_listed(names, 'or')}. {_seen(sum(each.seen_at is not None for each in told(life)))}"
    )
    return " ".join(filter(None, (said, *map(_by_what, begun(found, life.at)), _next(life, found))))


def _by_what(turn: Turn) -> str:
    """By which rota somebody is on call, for which groups they were told, and of which nobody is here."""
    said = [f"Nobody of the rota {name} is here, so the next were told." for name in turn.unmanned]
    if turn.rota:
        who = _listed([each.name for each in turn.people], "and")
        said.append(f"{who} {'is' if len(turn.people) == 1 else 'are'} on call by the rota {turn.rota}.")
    said += [f"Nobody of the group {name} can be asked now." for name in turn.empty]
    if turn.groups:
        said.append(f"The {_groups(turn)} {'was' if len(turn.groups) == 1 else 'were'} told.")
    return " ".join(said)


def _groups(turn: Turn) -> str:
    return f"group{'' if len(turn.groups) == 1 else 's'} {_listed(list(turn.groups), 'and')}"


def _next(life: Life, found: tuple[Turn, ...]) -> str:
    """Who is told next and when, minute by minute; nothing where nobody is."""
    coming = next_turn(found, life.at)
    looked = {
        each.recipient_id for each in life.alerts if each.recipient_id and each.acknowledged_at and each.kind in CALLS
    }
    looked |= {each.person_id for each in life.seen}
    yeses = {each.approver_id: each.group for each in life.approvals if each.decision == "approve"}
    if coming is None or answered(life.rules, yeses, looked, life.groups):
        return ""
    left = max(1, -(-(coming.at - life.at) // timedelta(minutes=1)))
    people = _listed([each.name for each in coming.people], "and")
    people += f", for the {_groups(coming)}," if coming.groups else ""
    return f"If it stays so, {people} {'is' if len(coming.people) == 1 else 'are'} told in {minutes(left)}, at {coming.at:%H:%M} UTC."


def _listed(names: list[str], word: str) -> str:
    return ", ".join(names[:-1]) + (f" {word} " if len(names) > 1 else "") + (names[-1] if names else "nobody")


def _seen(count: int) -> str:
    return (
        "Nobody has seen it yet."
        if count == 0
        else "One person has seen it."
        if count == 1
        else f"{count} people have seen it."
    )
