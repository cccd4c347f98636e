"""Personnel lists of a world's people, for tests."""

from collections.abc import Mapping

from portal.clock import now
from portal.personnel import actions
from portal.personnel.models import PersonnelList
from portal.personnel.plan import Plan, plan_of
from portal.personnel.reading import parse_list
from tests.worlds import World, actor

QUERY = "SELECT email, name, unit FROM people WHERE active"
HEAD = "email,name,unit,manager,left_on,moved_on"


def content(
    world: World, without: tuple[str, ...] = (), says: Mapping[str, str] | None = None, more: str = ""
) -> bytes:
    """Everybody but those named, all in Operations; ``says`` gives what stands after somebody's name."""
    rows = [
        f"{each.email},{each.name},{(says or {}).get(key, 'Operations,,,')}"
        for key, each in world.people.items()
        if key not in without
    ]
    return "\n".join([HEAD, *rows, more]).encode()


def read(world: World, given: bytes, by: str = "pia") -> PersonnelList:
    """Read by a person of the world."""
    return actions.read(by=actor(world.people[by]), content=given, query=QUERY, taken_at=now())


def plan(given: bytes) -> Plan:
    """What it would do now."""
    return plan_of(parse_list(given))


def imported(world: World, given: bytes, by: str = "pia") -> PersonnelList:
    """Read and confirmed by one."""
    return actions.confirm(by=actor(world.people[by]), row=read(world, given, by), shown=plan(given).fingerprint)
