"""Rotas of the small organisation: set up by an administrator, and the weeks that its members hold."""

from typing import Any

from portal.clock import now
from portal.notifications.models import Alert
from portal.rotas import actions
from portal.rotas.models import Rota
from portal.rotas.queries import plan_of
from portal.rotas.schedule import holder, week_at
from tests.worlds import World, actor


def rota_of(world: World, *names: str, **said: Any) -> Rota:
    given = {"name": "Nights", "weekday": 0, "hour": 9, "zone": "Europe/Berlin", **said}
    members = [str(world.people[name].pk) for name in names or ("ines", "jon")]
    return actions.set_up(by=actor(world.pia), system=world.system, members=members, **given)


def told(kind: str) -> set[str]:
    return {
        each.recipient.name for each in Alert.objects.filter(kind=kind).select_related("recipient") if each.recipient
    }


def weeks(rota: Rota, world: World, giver: str, taker: str) -> dict[str, Any]:
    """The first full week of each."""
    plan = plan_of(rota)
    ahead = range(week_at(plan, now()) + 1, week_at(plan, now()) + 9)
    first, second = (
        next(each for each in ahead if holder(plan, each) == str(world.people[name].pk)) for name in (giver, taker)
    )
    return {"week": plan.day_of(first), "other_week": plan.day_of(second)}
