"""A plan in sentences: one for each person."""

from collections.abc import Iterator
from datetime import UTC, datetime

from portal.clock import now
from portal.personnel.plan import LATELY, Change, Holding, Plan


def leaves(change: Change) -> str:
    """What ends for somebody who left."""
    why = "is not on the list" if change.line is None else f"left with {_day(change.at)}"
    held = _held(change.holding)
    return (
        f"{change.person.name} {why}: the account ends{f', with {held}' if held else '; there is nothing else to end'}."
    )


def moves(change: Change) -> str:
    """What ends for somebody who moved."""
    line = change.line
    where = f"from {change.person.unit} to {line.unit}" if line else "to other work"
    lists = change.holding.lists
    if not lists:
        return f"{change.person.name} moved {where}: there is no list to leave."
    end = "at once" if change.ends_at <= now() else f"at {change.ends_at.astimezone(UTC):%-d %b %Y, %H:%M} UTC"
    return (
        f"{change.person.name} moved {where}: {_lists(lists)} {end}, with what is open beyond it. "
        "Two people may put them on a list anew. Roles stay."
    )


def later(change: Change) -> str:
    """What is to come, and is done by the list that comes after it."""
    what = "leaves" if change.line and change.line.left_at else "moves"
    return f"{change.person.name} {what} with {_day(change.at)}: nothing is done before."


def large(plan: Plan) -> str:
    """Why a second look is needed."""
    if not plan.lately:
        return f"{len(plan.leavers)} of {plan.here} people of the portal would leave, which is more than a fifth."
    return (
        f"{len(plan.leavers)} of {plan.here} people of the portal would leave, and {plan.lately} left by lists of the last {LATELY.days} days: "
        "together more than a fifth."
    )


def sentences(plan: Plan) -> Iterator[tuple[str, str]]:
    """All that would be done or is noted of people of the portal: a kind and a sentence."""
    yield from (("leaver", leaves(each)) for each in plan.leavers)
    yield from (("mover", moves(each)) for each in plan.movers)
    yield from (("later", later(each)) for each in plan.later)
    yield from (
        ("placed", f"{person.name}: where they work, and whom they report to, is noted.") for person, _ in plan.placed
    )
    yield from (
        ("circle", f"{each.name}: the manager on the list would report to them, so whom they report to stays as it is.")
        for each in plan.circles
    )
    yield from (("back", f"{each.name} is on the list and has left the portal: nothing is done.") for each in plan.back)


def _held(holding: Holding) -> str:
    """ "2 roles, 3 places on lists and 1 open grant"; nothing for nothing."""
    held = (
        (holding.roles, "role", "roles"),
        (holding.lists, "place on a list", "places on lists"),
        (holding.grants, "open grant", "open grants"),
    )
    words = [f"{number} {one if number == 1 else many}" for number, one, many in held if number]
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def _lists(number: int) -> str:
    return "1 place on a list ends" if number == 1 else f"{number} places on lists end"


def _day(at: datetime) -> str:
    return f"{at.astimezone(UTC):%-d %b %Y, %H:%M} UTC"
