"""Which grant a session belongs to, by the marker that it logged in with. Read from the log alone.

``grant.opening`` is written before the target is touched, so a session can never be older than the event that explains it.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from audit.log.logged import COLUMNS, events_of
from audit.log.models import Event
from audit.log.read import LoggedEvent, of_subject
from audit.sources.marker import number_of
from audit.sources.sealed import Accounts, held_at

MARGIN = 600_000
"""Milliseconds. Events of one time may be committed in another order."""


@dataclass(frozen=True)
class Binding:
    """The grant behind a marker."""

    grant_id: str
    marker: str
    case: str
    system_id: str
    person_id: str
    privilege_id: str


@dataclass
class Bindings:
    """Known markers; asked for an unknown one, the log is read on."""

    _by_marker: dict[str, Binding] = field(default_factory=dict)
    accounts: Accounts = field(default_factory=Accounts)
    _since: int = 0

    def find(self, login: str, system_id: str, at: int) -> Binding | None:
        """The grant whose marker the login is, on this system; of a sealed account the one that held it when the session began (ms)."""
        if number_of(login) is None:
            return self._of_account(login, system_id, at)
        found = self._by_marker.get(login) or self._read(login, self._since) or self._read(login, 0)
        return found if found and found.system_id == system_id else None

    def _of_account(self, login: str, system_id: str, at: int) -> Binding | None:
        account = self.accounts.find(login, system_id)
        holding = held_at(account, at) if account else None
        return _binding_of(f"grant:{holding.grant_id}", login, holding.case) if holding else None

    def _read(self, login: str, since: int) -> Binding | None:
        rows = Event.objects.filter(name="grant.opening", at__gte=since).order_by("at").values_list(*COLUMNS)
        for event in events_of(rows):
            self._since = max(self._since, event.at - MARGIN)
            marker = event.fields["marker"]
            if marker not in self._by_marker and (binding := _binding(event, marker)):
                self._by_marker[marker] = binding
        return self._by_marker.get(login)


def _binding(opening: LoggedEvent, marker: str) -> Binding | None:
    return _binding_of(opening.subject, marker, opening.case)


def _binding_of(subject: str, marker: str, case: str) -> Binding | None:
    authorised = of_subject(subject, ("grant.authorised",), limit=1)
    if not authorised:
        return None
    fields: dict[str, Any] = authorised[0].fields
    return Binding(fields["grant_id"], marker, case, fields["system_id"], fields["person_id"], fields["privilege_id"])


def over_at(grant_id: str) -> int | None:
    """When the target first confirmed that the access is gone (ms); None while it has not."""
    read = of_subject(f"grant:{grant_id}", ("grant.read_back",))
    return min((event.fields["read_at"] for event in read if event.fields["clear"]), default=None)


def able_logins(system_id: str) -> frozenset[str] | None:
    """Logins that the last listing of the target showed as able to act as a privilege; None where none was taken.

    A listing whose names were erased counts as none.
    """
    listings = of_subject(f"system:{system_id}", ("target.listed",), limit=1)
    if not listings or "logins" not in listings[-1].personal:
        return None
    try:
        logins = json.loads(listings[-1].personal["logins"])
    except ValueError:
        return None
    return frozenset(str(login) for login in logins) if isinstance(logins, list) else None
