"""Who decides on a line, and who may close. Nobody decides on a right that they hold, asked for or gave, nor on one of their manager's. Each check raises."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from audit.log.append import Actor
from portal.campaigns import subjects
from portal.campaigns.assigning import concerned
from portal.campaigns.figures import dormant_after
from portal.campaigns.lines import Line
from portal.campaigns.lists import LISTS
from portal.campaigns.models import Campaign, Item
from portal.campaigns.states import OPEN, UNDECIDED
from portal.clock import moment, now
from portal.eligibility.models import ADMINISTRATOR, OWNER, REVIEWER
from portal.eligibility.queries import administrators, people_with, people_with_for_any
from portal.errors import ChangedMeanwhile, NotAllowed, RefusedByPolicy, WrongState
from portal.people.models import Person
from portal.people.reporting import reports_of
from portal.people.rights import ADMINISTER, MANAGE, need_permission
from portal.systems.models import System

DECIDED = "This line was decided already. Nothing was changed."
NO_SECOND = (
    "Two people agree before a role for all systems is taken away, and nobody else may decide on this line. "
    "Make somebody else an administrator of all systems first, or keep the line. Nothing was changed."
)
Ranks = list[list[Person]]


def ranks(system: System | None) -> Ranks:
    """Who may attest a list, those first who are asked first: of a system its owners, administrators, reviewers;

    of all systems the administrators of all; then the owners of any, of whom two agree before a role is taken away (`needs_second`).
    """
    if system is None:
        return [list(administrators()), people_with_for_any(OWNER)]
    named = [system.owner] if system.owner.left_at is None else []
    owners = {person.pk: person for person in (*named, *people_with(OWNER, system))}
    return [list(owners.values()), *(list(people_with(role, system)) for role in (ADMINISTRATOR, REVIEWER))]


def attesters(system: System | None) -> list[Person]:
    """All of them, each once, in the order in which they are asked."""
    return flat(ranks(system))


def flat(found: Ranks) -> list[Person]:
    """Each person once."""
    return list({person.pk: person for rank in found for person in rank}.values())


def concerned_in_lines(lines: Iterable[Line]) -> dict[str, frozenset[str]]:
    """By the subjects of lines that are listed now: who may not decide on each."""
    found = list(lines)
    reports = reports_of(line.person_id for line in found if line.person_id)
    return {line.subject: _concerned(line.person_id, line.hands, reports) for line in found}


def concerned_in(item: Item) -> frozenset[str]:
    """Whose the right is, who asked for it or gave it, and who reports to whose it is."""
    return concerned_in_each([item])[item.pk]


def concerned_in_each(items: Iterable[Item]) -> dict[UUID, frozenset[str]]:
    """The same for many stored lines, as the rows say now; one question for each kind of line, and one for the reports."""
    rows, asked = list(items), defaultdict(set)
    for item in rows:
        asked[item.subject_kind].add(item.subject)
    hands = {kind: subjects.SUBJECTS[kind].hands(keys) for kind, keys in asked.items()}
    reports = reports_of(item.person_id for item in rows if item.person_id)
    return {
        item.pk: _concerned(item.person_id, hands[item.subject_kind].get(item.subject, ()), reports) for item in rows
    }


def _concerned(holder: UUID | None, hands: Iterable[str], reports: dict[UUID, frozenset[str]]) -> frozenset[str]:
    return concerned(str(holder) if holder else None, hands, reports.get(holder, ()) if holder else ())


def free_for(item: Item) -> list[Person]:
    """Who attests this list and is not concerned in the line."""
    return among_free(attesters(item.campaign.system), concerned_in(item))


def among_free(people: Iterable[Person], out: frozenset[str]) -> list[Person]:
    """Those who are not concerned."""
    return [each for each in people if str(each.pk) not in out]


def escalated_to(people: Ranks, holder: UUID | None, system: System | None) -> Person:
    """Who has to find somebody for a line on which nobody may decide: an administrator whose it is not; else the first who attests."""
    managing = people[1] if system is not None else people[0]
    free = [each for each in [*managing, *administrators(), *flat(people)] if each.pk != holder]
    if free:
        return free[0]
    if system is not None:
        return system.owner
    raise RefusedByPolicy("Nobody administers this portal. Make administrators first.")


def may_decide(by: Actor, item: Item) -> None:
    """Who it was put to, as long as they may attest this list, and never on what concerns them.

    Raises:
        NotAllowed: of kind ``own`` where the person who acts is concerned.
    """
    _not_theirs(by, item)
    _free_of(by, item, concerned_in(item))
    _attests(by, item)


def _free_of(by: Actor, item: Item, out: frozenset[str]) -> None:
    if by.id in out:
        raise NotAllowed(
            "You asked for this right, gave it, or report to whose it is. Hand the line on: another person decides on it.",
            about=item,
            kind="own",
        )
    if str(item.reviewer_id) != by.id:
        raise NotAllowed("This line was put to another person.", about=item, kind="not its reviewer")


def may_decide_each(by: Actor, items: Sequence[Item]) -> dict[UUID, frozenset[str]]:
    """`may_decide` for lines of one campaign, asked of the database as often as for one. Returns who is concerned in each.

    Raises:
        NotAllowed: one of them is not the person's to decide.
    """
    out = concerned_in_each(items)
    _attests(by, items[0])
    for item in items:
        _not_theirs(by, item)
        _free_of(by, item, out[item.pk])
    return out


def needs_second(by: Actor, item: Item, to_at: datetime | None) -> bool:
    """Whether another has to agree that it ends at ``to_at`` (``None``: at once): who owns one system takes nobody's role for all systems away alone.

    What goes further than the first asked for, nobody has agreed to yet. See docs/decisions/013.
    """
    if item.campaign.system_id is not None or by.id in {str(each.pk) for each in administrators()}:
        return False
    if item.removal_asked_by_id is None or str(item.removal_asked_by_id) == by.id:
        return True
    asked = item.removal_asked_to_at
    return asked is not None and (to_at or now()) < asked


def second_for(by: Actor, item: Item) -> Person:
    """Who is asked to agree.

    Raises:
        RefusedByPolicy: nobody else may decide on the line.
    """
    free = [each for each in free_for(item) if str(each.pk) != by.id]
    if not free:
        raise RefusedByPolicy(NO_SECOND, about=item, kind="no second")
    return free[0]


def may_transfer(by: Actor, item: Item) -> None:
    """Who it was put to, or whoever manages the list, so that no line is stuck with somebody who is away.

    Who proposed or approved the right may hand its line on, never take it: it goes to somebody who is not concerned.

    Raises:
        NotAllowed: anybody else.
    """
    _not_theirs(by, item)
    if str(item.reviewer_id) != by.id:
        need_permission(by, MANAGE, item.campaign.system, says="This line was put to another person.")
    _attests(by, item)


def may_receive(to: Person, item: Item) -> None:
    """Another one who attests this list and is not concerned.

    Raises:
        NotAllowed: of kind ``own`` where they are concerned.
    """
    if str(to.pk) in concerned_in(item):
        raise NotAllowed(
            "That person holds, proposed or approved this right, or reports to whose it is. Choose somebody who is free of it.",
            about=item,
            kind="own",
        )
    if to.pk == item.reviewer_id or to not in attesters(item.campaign.system):
        raise NotAllowed("That person cannot decide on this line: choose another who attests this list.", about=item)


def _not_theirs(by: Actor, item: Item) -> None:
    if str(item.person_id) == by.id:
        raise NotAllowed("This line is about you. Another person decides on it.", about=item, kind="own")


def _attests(by: Actor, item: Item) -> None:
    if by.id not in {str(person.pk) for person in attesters(item.campaign.system)}:
        raise NotAllowed(
            "Owners, administrators and reviewers of this system attest its list.", about=item, kind="no attester"
        )


def may_start(by: Actor, system: System | None) -> None:
    """An administrator of the system (of all, without one), or the portal when the time has come.

    Raises:
        NotAllowed: anybody else.
    """
    if by.is_person:
        need_permission(by, ADMINISTER, system, says="Only administrators start a campaign before its time.")


def is_attested(kind: str, system: System | None) -> None:
    """There is such a list.

    Raises:
        RefusedByPolicy: of all systems there is no such list.
    """
    if system is None and not LISTS[kind].of_all:
        raise RefusedByPolicy("This list is attested for each system by itself.")


def may_close(by: Actor, campaign: Campaign) -> None:
    """The owner or an administrator of the system; of all systems, an administrator of all.

    Raises:
        NotAllowed: anybody else.
    """
    need_permission(
        by, MANAGE, campaign.system, says="Only the owner or an administrator of this system closes its campaign."
    )


def still_undecided(item: Item) -> None:
    """Open and seen.

    Raises:
        ChangedMeanwhile, WrongState: it is not.
    """
    if item.state != UNDECIDED or item.campaign.state != OPEN:
        raise ChangedMeanwhile(DECIDED, about=item)
    if item.shown_at is None:
        raise WrongState("Look at this line on its page first.", about=item)


def is_dormant(item: Item, at: datetime | None = None) -> bool:
    """Neither used nor drilled for too long. Of standing access nothing is known, so it counts as dormant."""
    last = last_known(item.facts)
    return last is None or (at or now()) - moment(last) > dormant_after()


def last_known(facts: dict[str, int]) -> int | None:
    """When the right was given, used or drilled last (ms)."""
    return max((facts[name] for name in ("granted_at", "last_use", "last_drill") if name in facts), default=None)


def need_reason(item: Item, reason: str, *, kept: bool) -> None:
    """A note where the line is not kept as it is, and where it is kept although nobody used or drilled it.

    Raises:
        RefusedByPolicy: there is none.
    """
    if reason.strip() or (kept and not is_dormant(item)):
        return
    says = (
        "It was neither used nor drilled for long: say why it stays." if kept else "Say why it does not stay as it is."
    )
    raise RefusedByPolicy(says, about=item, kind="no reason")
