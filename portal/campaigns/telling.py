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


def tell_of_nobody(by: Actor, campaign: Campaign, items: Iterable[Item]) -> None:
    """Tell who has to find somebody for which lines."""
    theirs: dict[Person, list[Item]] = defaultdict(list)
    for item in items:
        if item.reviewer is None:
            theirs[item.owner].append(item)
    for person, lines in theirs.items():
        tell(
            by=by, people=[person], kind="system.problem", about=campaign.log_subject, path=f"/campaigns/{campaign.pk}/",
            facts={"title": NOBODY, "sentence": _sentence(lines), "system": campaign.name, "at": campaign.due_at},
        )  # fmt: skip


def _sentence(lines: list[Item]) -> str:
    named = "; ".join(each.label for each in lines[:3])
    more = f"; and {len(lines) - 3} more" if len(lines) > 3 else ""
    return (
        f"Nobody can decide on: {named}{more}. Everybody who attests this list holds the right, asked for it, gave it, or reports to whose it is. "
        "Make somebody else an owner or reviewer of the system: the lines then go to them by themselves."
    )
