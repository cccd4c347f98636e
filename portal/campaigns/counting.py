"""The second count of a list, from another source than the rows that it was taken from: they agree, or it is said why not.

What the log says was given and not taken away is counted anew for rights in the portal; what the target itself showed counts for logins
and for sealed accounts; and the personnel list says whom it could not confirm.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from audit.log.read import LoggedEvent, each_named, in_window
from portal.campaigns.lines import Line
from portal.campaigns.lists import ACCOUNTS, ELIGIBILITIES, LISTS, ROLES
from portal.campaigns.subjects import accounts, eligibilities, roles
from portal.clock import ms
from portal.people.models import Person
from portal.personnel.queries import last_imported
from portal.reconciliation.models import Listing
from portal.systems.models import System

LOG, TARGET, LOG_AND_TARGET = "log", "target", "log and target"
MOST_ACCOUNTS = 10_000  # of one listing
WRITTEN_AROUND_MS = 60_000  # its events, and its row


@dataclass(frozen=True)
class Told:
    """How the log tells of one kind of right: the names of its events, and the fields in them."""

    given: str
    over: str
    shortened: str
    key: str
    began: str
    to: str
    earlier: str


TOLD = {
    ELIGIBILITIES: Told(
        "eligibility.granted", "eligibility.revoked", "eligibility.shortened", "eligibility_id", "granted_at",
        "expires_at", "expires_at",
    ),
    ROLES: Told("role.granted", "role.ended", "role.shortened", "role_id", "granted_at", "to_at", "to_at"),
    ACCOUNTS: Told("sealed.registered", "sealed.retired", "", "account_id", "effective_at", "", ""),
}  # fmt: skip
COUNTED_ANEW = {ELIGIBILITIES: eligibilities.NAME, ROLES: roles.NAME, ACCOUNTS: accounts.NAME}


@dataclass(frozen=True)
class Second:
    """The count of another source; ``None`` where there is no such source. ``says``: why they differ, or why there is none; else empty."""

    count: int | None
    source: str = ""
    says: str = ""


def second_count(
    kind: str, system: System | None, listing: Listing | None, lines: Sequence[Line], at: datetime
) -> Second:
    """Count the list a second time."""
    told = TOLD.get(kind)
    if told is None:
        return Second(None, says="There is no second source for this list.")
    known = in_log(each_named(filter(None, (told.given, told.over, told.shortened))), told, system, at)
    mine = {line.subject for line in lines if line.subject_kind == COUNTED_ANEW[kind]}
    if kind == ACCOUNTS:
        return _of_accounts(mine, known, listing, at)
    found = len(lines) - len(mine)  # logins, as the target showed them
    asked = LISTS[kind].asks_target
    source, said = (LOG_AND_TARGET if asked and listing else LOG), [_difference(mine, known)]
    if asked and listing is None:
        said.append("The target was not asked, so logins on it are in neither count.")
    personnel = last_imported()
    if personnel is not None:
        source, of_late = f"{source}, personnel list", _unconfirmed(lines, personnel.taken_at)
        said.append(
            _count(
                of_late,
                *(
                    f"{word} of people who came after the personnel list of {personnel.taken_at:%-d %b %Y}"
                    for word in ("is", "are")
                ),
            )
        )
    return Second(len(known) + found, source, " ".join(each for each in said if each))


def _of_accounts(mine: set[str], known: set[str], listing: Listing | None, at: datetime) -> Second:
    """The target says of each account whether it has it, and which logins stand like one; a target that was not asked says nothing."""
    said = [_difference(mine, known)]
    if listing is None:
        said.append("The target was not asked, so whether it has them is not known.")
        return Second(len(known), LOG, " ".join(each for each in said if each))
    there, strangers = _on_target(listing, at)
    said += [
        _count(len(mine - there), "stands on the list and not on the target", "stand on the list and not on the target"),
        _count(strangers, "stands on the target like one and in no register", "stand on the target like one and in no register"),
    ]  # fmt: skip
    return Second(len(there) + strangers, TARGET, " ".join(each for each in said if each))


def _on_target(listing: Listing, at: datetime) -> tuple[set[str], int]:
    """What a listing showed, as the log tells it: accounts of the register, and how many logins that stand like one."""
    since = ms(listing.taken_at) - WRITTEN_AROUND_MS
    told = [
        event.fields
        for event in in_window("sealed.account_listed", since, ms(at) + 1, MOST_ACCOUNTS)
        if event.fields["listing_id"] == str(listing.pk) and event.fields["in_target"]
    ]
    return {each["account_id"] for each in told if "account_id" in each}, sum("account_id" not in each for each in told)


def _unconfirmed(lines: Sequence[Line], taken_at: datetime) -> int:
    """Lines of people whom the personnel list could not know yet. Who was known and not on it has left the lists with its import."""
    people = [line.person_id for line in lines if line.person_id]
    late = set(Person.objects.filter(pk__in=set(people), added_at__gt=taken_at).values_list("pk", flat=True))
    return sum(person in late for person in people)


def in_log(events: Iterable[LoggedEvent], told: Told, system: System | None, at: datetime) -> set[str]:
    """Rights of the system (of all, without one) that the log says are in force."""
    wanted, ends = str(system.pk) if system else None, {}
    for event in events:
        key = event.fields[told.key]
        if event.name == told.given and event.fields.get("system_id") == wanted:
            ends[key] = (event.fields[told.began], event.fields.get(told.to))
        elif event.name == told.over:
            ends.pop(key, None)
        elif event.name == told.shortened and key in ends:
            ends[key] = (ends[key][0], event.fields[told.earlier])
    return {key for key, (began, to) in ends.items() if began <= ms(at) and (to is None or to > ms(at))}


def _difference(mine: set[str], known: set[str]) -> str:
    said = [_count(len(mine - known), "stands on the list and not in the log", "stand on the list and not in the log"),
            _count(len(known - mine), "stands in the log and not on the list", "stand in the log and not on the list")]  # fmt: skip
    return " ".join(each for each in said if each)


def _count(number: int, one: str, many: str) -> str:
    return f"{number} line{'' if number == 1 else 's'} {one if number == 1 else many}." if number else ""
