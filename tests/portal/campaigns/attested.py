"""Attestations on their way, by the real actions and a real (simulated) target."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from audit.log.append import Actor
from audit.log.read import LoggedEvent, of_subject
from portal.campaigns import actions, starting
from portal.campaigns.forms import NOTES
from portal.campaigns.models import Campaign, Item
from portal.clock import now
from portal.connectors.simulated import controls
from portal.grants.targets import target_of
from tests.worlds import World, actor

NOTE = "Left the team."
ACTS: dict[str, Callable[[Actor, Item, World], Any]] = {
    "keep": lambda by, item, _: actions.keep(by=by, item=item, reason=NOTE),
    "modify": lambda by, item, _: actions.modify(by=by, item=item, to_at=now() + timedelta(days=5), reason=NOTE),
    "revoke": lambda by, item, _: actions.revoke(by=by, item=item, reason=NOTE),
    "transfer": lambda by, item, world: actions.transfer(by=by, item=item, to=world.kim, reason=NOTE),
}


def stand(world: World, *logins: str) -> None:
    """Logins on the target that no grant explains."""
    controls.write(target_of(world.system), other_logins=list(logins))


def begun(world: World, by: str = "pia", kind: str = "eligibility") -> Campaign:
    """One that was begun by an administrator."""
    return starting.run_now(by=actor(world.people[by]), system=world.system, kind=kind)


def seen(world: World, campaign: Campaign, by: str = "mo") -> Campaign:
    """Its lines stood before somebody."""
    actions.show(by=actor(world.people[by]), campaign=campaign)
    return campaign


def line(campaign: Campaign, who: str) -> Item:
    """The line whose label begins so."""
    return Item.objects.select_related("campaign__system").get(campaign=campaign, label__startswith=who)


def ready(world: World, who: str = "Ann", by: str = "mo", kind: str = "eligibility") -> Item:
    """A line that can be decided."""
    return line(seen(world, begun(world, kind=kind), by), who)


def at_line(item: Item, said: Mapping[str, str]) -> dict[str, str]:
    """As the one form of all lines sends it; what is of no line stays as it is."""
    return {f"{item.pk}-{name}" if name in ("decision", *NOTES) else name: value for name, value in said.items()}


def events_of(row: Any, *names: str) -> list[LoggedEvent]:
    """What the log says about a row, changes of columns left out."""
    return [event for event in of_subject(row.log_subject, names) if event.name != "configuration.changed"]


def down(world: World) -> None:
    """The target does not answer any more."""
    controls.write(target_of(world.system), down=True)


def row_of(item: Item) -> dict[str, Any]:
    """The row as it stands."""
    return dict(Item.objects.filter(pk=item.pk).values().get())
