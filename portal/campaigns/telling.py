"""Who is told of lines: whom they wait for, and who has to find somebody where nobody may decide."""

from collections import defaultdict
from collections.abc import Iterable

from audit.log.append import Actor
from portal.campaigns.models import Campaign, Item
from portal.notifications.outbox import tell
from portal.people.models import Person

NOBODY = "Lines that nobody may decide on"


def tell_of_lines(by: Actor, campaign: Campaign, items: Iterable[Item], kind: str = "campaign.item_due") -> None:
    """Tell everybody once how many lines wait for them."""
    theirs: dict[Person, int] = defaultdict(int)
    for item in items:
        if item.reviewer is not None:
            theirs[item.reviewer] += 1
    for person, lines in theirs.items():
        tell(
            by=by, people=[person], kind=kind, about=campaign.log_subject, path=f"/campaigns/{campaign.pk}/",
            facts={"system": campaign.name, "list": campaign.title, "due_at": campaign.due_at, "lines": lines},
        )  # fmt: skip


def tell_of_nobody(by: Actor, campaign: Campaign, items: Iterable[Item], kind: str = "system.problem") -> None:
    """Tell who has to find somebody for which lines: at once, and each day as ``campaign.nobody_reminder``."""
    theirs: dict[Person, list[Item]] = defaultdict(list)
    for item in items:
        if item.reviewer is None:
            theirs[item.owner].append(item)
    for person, lines in theirs.items():
        facts = {"sentence": _sentence(lines), "system": campaign.name}
        first = {"title": NOBODY, "at": campaign.due_at}
        again = {"list": campaign.title, "due_at": campaign.due_at, "lines": len(lines)}
        tell(
            by=by, people=[person], kind=kind, about=campaign.log_subject, path=f"/campaigns/{campaign.pk}/",
            facts={**facts, **(first if kind == "system.problem" else again)},
        )  # fmt: skip


def _sentence(lines: list[Item]) -> str:
    of_all = lines[0].campaign.system_id is None
    whom = f"Make somebody else {'an administrator of all systems' if of_all else 'an owner or reviewer of the system'}"
    named = "; ".join(each.label for each in lines[:3])
    more = f"; and {len(lines) - 3} more" if len(lines) > 3 else ""
    return (
        f"Nobody can decide on: {named}{more}. Everybody who attests this list holds the right, asked for it, gave it, or reports to whose it is. "
        f"{whom}: the lines then go to them by themselves."
    )
