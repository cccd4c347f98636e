"""The second count of a list, from another source than the rows that it was taken from: they agree, or it is said why not.

What the log says was given and not taken away is counted anew for rights in the portal; what the target itself showed counts for logins
and for sealed accounts; and the personnel list says whom it could not confirm.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
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
from portal.systems.models import Privilege, System

LOG, TARGET, LOG_AND_TARGET = "log", "target", "log and target"
MOST_ACCOUNTS = 10_000  # of one listing
WRITTEN_AROUND_MS = 60_000  # its events, and its row
MOST_NAMED = 10  # of the rows on one side; how many there are is said of all


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
    """The count of another source; ``None`` where there is no such source. ``says``: why they differ, or why there is none; else empty.

    ``only_listed`` and ``only_elsewhere``: rows that one side alone has. Counts may be equal although the rows are not.
    """

    count: int | None
    source: str = ""
    says: str = ""
    only_listed: int | None = None
    only_elsewhere: int | None = None


def second_count(
    kind: str, system: System | None, listing: Listing | None, lines: Sequence[Line], at: datetime
) -> Second:
    """Count the list a second time, row by row."""
    told = TOLD.get(kind)
    if told is None:
        return Second(None, says="There is no second source for this list.")
    known = in_log(each_named(filter(None, (told.given, told.over, told.shortened))), told, system, at)
    mine = {line.subject: line.label for line in lines if line.subject_kind == COUNTED_ANEW[kind]}
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
        of_whom = f"of people who came after the personnel list of {personnel.taken_at:%-d %b %Y}"
        said.append(_count(of_late, f"is {of_whom}", f"are {of_whom}"))
    return Second(
        len(known) + found, source, _sentences(said), len(mine.keys() - known.keys()), len(known.keys() - mine.keys())
    )


def _of_accounts(
    mine: Mapping[str, str], known: Mapping[str, LoggedEvent], listing: Listing | None, at: datetime
) -> Second:
    """The target says of each account whether it has it, and which logins stand like one; a target that was not asked says nothing."""
    said, listed, logged = [_difference(mine, known)], set(mine), set(known)
    if listing is None:
        said.append("The target was not asked, so whether it has them is not known.")
        return Second(len(known), LOG, _sentences(said), len(listed - logged), len(logged - listed))
    there, strangers = _on_target(listing, at)
    gone = [mine[each] for each in listed - there]
    said += [
        _count(len(gone), "stands on the list and not on the target", "stand on the list and not on the target", gone),
        _count(len(strangers), "stands on the target like one and in no register", "stand on the target like one and in no register", strangers),
    ]  # fmt: skip
    return Second(
        len(there) + len(strangers), TARGET, _sentences(said), len((listed - logged) | (listed - there)),
        len((logged - listed) | (there - listed)) + len(strangers),
    )  # fmt: skip


def _on_target(listing: Listing, at: datetime) -> tuple[set[str], list[str]]:
    """What a listing showed, as the log tells it: accounts of the register, and the logins that stand like one."""
    since = ms(listing.taken_at) - WRITTEN_AROUND_MS
    told = [
        event
        for event in in_window("sealed.account_listed", since, ms(at) + 1, MOST_ACCOUNTS)
        if event.fields["listing_id"] == str(listing.pk) and event.fields["in_target"]
    ]
    of_register = {event.fields["account_id"] for event in told if "account_id" in event.fields}
    return of_register, [event.says("login") for event in told if "account_id" not in event.fields]


def _unconfirmed(lines: Sequence[Line], taken_at: datetime) -> int:
    """Lines of people whom the personnel list could not know yet. Who was known and not on it has left the lists with its import."""
    people = [line.person_id for line in lines if line.person_id]
    late = set(Person.objects.filter(pk__in=set(people), added_at__gt=taken_at).values_list("pk", flat=True))
    return sum(person in late for person in people)


def in_log(events: Iterable[LoggedEvent], told: Told, system: System | None, at: datetime) -> dict[str, LoggedEvent]:
    """Rights of the system (of all, without one) that the log says are in force, each with what gave it."""
    wanted, given = str(system.pk) if system else None, {}
    ends: dict[str, int | None] = {}
    for event in events:
        key = event.fields[told.key]
        if event.name == told.given and event.fields.get("system_id") == wanted:
            given[key], ends[key] = event, event.fields.get(told.to)
        elif event.name == told.over:
            given.pop(key, None)
        elif event.name == told.shortened and key in given:
            ends[key] = event.fields[told.earlier]
    return {
        key: event
        for key, event in given.items()
        if event.fields[told.began] <= ms(at) and ((to := ends[key]) is None or to > ms(at))
    }


def _difference(mine: Mapping[str, str], known: Mapping[str, LoggedEvent]) -> str:
    here = [mine[each] for each in mine.keys() - known.keys()]
    there = _labels([known[each] for each in known.keys() - mine.keys()])
    said = [_count(len(here), "stands on the list and not in the log", "stand on the list and not in the log", here),
            _count(len(there), "stands in the log and not on the list", "stand in the log and not on the list", there)]  # fmt: skip
    return _sentences(said)


def _labels(given: Sequence[LoggedEvent]) -> list[str]:
    """What the log gave, in the words of a line."""
    asked = {
        name: {each.fields[name] for each in given if name in each.fields} for name in ("person_id", "privilege_id")
    }
    people, privileges = Person.objects.in_bulk(asked["person_id"]), Privilege.objects.in_bulk(asked["privilege_id"])
    names = {str(pk): row.name for rows in (people, privileges) for pk, row in rows.items()}
    return [_label(each.fields, names) for each in given]


def _label(fields: Mapping[str, str], names: Mapping[str, str]) -> str:
    if "account_id" in fields:
        return f"{fields['name']}: {fields['account']}"
    person = names.get(fields["person_id"], "somebody who is not known any more")
    return (
        f"{person}: {fields.get('role') or names.get(fields['privilege_id'], 'a privilege that is not known any more')}"
    )


def _count(number: int, one: str, many: str, named: Collection[str] = ()) -> str:
    if not number:
        return ""
    more = f"; and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
    which = f": {'; '.join(sorted(named)[:MOST_NAMED])}{more}" if named else ""
    return f"{number} line{'' if number == 1 else 's'} {one if number == 1 else many}{which}."


def _sentences(said: Iterable[str]) -> str:
    return " ".join(each for each in said if each)
