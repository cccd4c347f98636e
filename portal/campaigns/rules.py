"""Who decides on a line, and who may close. Nobody decides on a right that they hold, proposed or approved. Each check raises."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from audit.log.append import Actor
from portal.campaigns.figures import dormant_after
from portal.campaigns.lines import ELIGIBILITY, hands_of
from portal.campaigns.models import Campaign, Item
from portal.campaigns.states import OPEN, UNDECIDED
from portal.clock import moment, now
from portal.eligibility.models import ADMINISTRATOR, OWNER, REVIEWER, Eligibility
from portal.eligibility.queries import people_with
from portal.errors import ChangedMeanwhile, NotAllowed, RefusedByPolicy, WrongState
from portal.people.models import Person
from portal.people.rights import ADMINISTER, MANAGE, need_permission
from portal.systems.models import System

DECIDED = "This line was decided already. Nothing was changed."


def attesters(system: System) -> list[Person]:
    """Who may attest lines of the system, in the order in which they are asked: owner, other owners, administrators, reviewers."""
    owner = [system.owner] if system.owner.left_at is None else []
    held = [person for role in (OWNER, ADMINISTRATOR, REVIEWER) for person in people_with(role, system)]
    return list({person.pk: person for person in (*owner, *held)}.values())


def attester_for(concerned: Iterable[str], among: Iterable[Person]) -> Person | None:
    """The first who is not concerned. Where there is none, an administrator gives somebody a role first."""
    hands = set(concerned)
    return next((each for each in among if str(each.pk) not in hands), None)


def concerned_in(item: Item) -> frozenset[str]:
    """Whose the right is, and who proposed and approved it."""
    return concerned_in_each([item])[item.pk]


def concerned_in_each(items: Iterable[Item]) -> dict[UUID, frozenset[str]]:
    """The same for many lines, in one question."""
    lines = list(items)
    listed = [item.subject for item in lines if item.subject_kind == ELIGIBILITY]
    hands = {str(row.pk): hands_of(row) for row in Eligibility.objects.filter(pk__in=listed)}
    own = {item.pk: frozenset({str(item.person_id)} if item.person_id else ()) for item in lines}
    return {item.pk: own[item.pk] | hands.get(item.subject, frozenset()) for item in lines}


def free_for(item: Item) -> list[Person]:
    """Who attests for the system and is not concerned in the line."""
    return among_free(attesters(item.campaign.system), concerned_in(item))


def among_free(people: Iterable[Person], concerned: frozenset[str]) -> list[Person]:
    """Those who are not concerned."""
    return [each for each in people if str(each.pk) not in concerned]


def may_decide(by: Actor, item: Item) -> None:
    """Who it was put to, as long as they may attest for the system, and never on what they hold, proposed or approved.

    Raises:
        NotAllowed: of kind ``own`` where the person who acts is concerned.
    """
    _not_theirs(by, item)
    if by.id in concerned_in(item):
        raise NotAllowed(
            "You proposed or approved this right. Hand the line on: another person decides on it.",
            about=item,
            kind="own",
        )
    if str(item.reviewer_id) != by.id:
        raise NotAllowed("This line was put to another person.", about=item, kind="not its reviewer")
    _attests(by, item)


def may_transfer(by: Actor, item: Item) -> None:
    """Who it was put to, or whoever manages the system, so that no line is stuck with somebody who is away.

    Who proposed or approved the right may hand its line on, never take it: it goes to somebody who is not concerned.

    Raises:
        NotAllowed: anybody else.
    """
    _not_theirs(by, item)
    if str(item.reviewer_id) != by.id:
        need_permission(by, MANAGE, item.campaign.system, says="This line was put to another person.")
    _attests(by, item)


def may_receive(to: Person, item: Item) -> None:
    """Another one who attests for the system and is not concerned.

    Raises:
        NotAllowed: of kind ``own`` where they are concerned.
    """
    if str(to.pk) in concerned_in(item):
        raise NotAllowed(
            "That person holds, proposed or approved this right. Choose somebody who did not.", about=item, kind="own"
        )
    if to.pk == item.reviewer_id or to not in attesters(item.campaign.system):
        raise NotAllowed(
            "That person cannot decide on this line: choose another who attests for this system.", about=item
        )


def _not_theirs(by: Actor, item: Item) -> None:
    if str(item.person_id) == by.id:
        raise NotAllowed("This line is about you. Another person decides on it.", about=item, kind="own")


def _attests(by: Actor, item: Item) -> None:
    if by.id not in {str(person.pk) for person in attesters(item.campaign.system)}:
        raise NotAllowed(
            "Owners, administrators and reviewers of this system attest its list.", about=item, kind="no attester"
        )


def may_start(by: Actor, system: System) -> None:
    """An administrator of the system, or the portal when the time has come.

    Raises:
        NotAllowed: anybody else.
    """
    if by.is_person:
        need_permission(by, ADMINISTER, system, says="Only administrators start a campaign before its time.")


def may_close(by: Actor, campaign: Campaign) -> None:
    """The owner or an administrator of the system.

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
    known = [item.facts[name] for name in ("granted_at", "last_use", "last_drill") if name in item.facts]
    return not known or (at or now()) - moment(max(known)) > dormant_after()


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
