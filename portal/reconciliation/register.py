"""The register of sealed accounts held against what the target shows, both ways. Its result is events; it belongs to a listing."""

from collections.abc import Iterable
from dataclasses import dataclass

from audit.log.append import Actor, Entry
from portal.connectors import base as plain
from portal.connectors.sealed import Standing, keeper_of
from portal.reconciliation.models import Listing
from portal.reconciliation.sources import declared_logins
from portal.sealed.models import SealedAccount
from portal.sealed.queries import in_use_on
from portal.systems.models import System
from portal.systems.targets import target


@dataclass(frozen=True)
class Seen:
    """One account of the register, and how the target shows it; ``None`` where it has none of that name."""

    account: SealedAccount
    standing: Standing | None


def look(system: System) -> list[Seen]:
    """Ask the target for each account of its register. Not inside a transaction. Raises ConnectorError kinds."""
    keeper = keeper_of(system.connector)
    rows = in_use_on(system)
    return [Seen(row, keeper.look(target(system), row.account)) for row in rows] if keeper.looks else []


def entries(by: Actor, listing: Listing, system: System, seen: Iterable[Seen], answer: plain.Listing) -> list[Entry]:
    """One event for each account of the register, and for each login of the target that stands like one and is in no register."""
    known = list(seen)
    told = [
        _entry(by, listing, system, answer.at_ms, each.account.account, each.account, in_target=each.standing is not None,
               enabled=each.standing.enabled if each.standing else None)
        for each in known
    ]  # fmt: skip
    told += [
        _entry(by, listing, system, answer.at_ms, login, None, in_target=True, enabled=True)
        for login in strangers(system, answer, {each.account.account for each in known})
    ]
    return told


def strangers(system: System, answer: plain.Listing, registered: set[str]) -> list[str]:
    """Logins that can act as a privilege at any time: no grant's, not the portal's, not declared, and not in the register."""
    explained = registered | declared_logins(system)
    return sorted(
        {
            each.login
            for each in answer.logins
            if each.can_login and not each.comment.startswith("breakglass grant ") and each.login not in explained
        }
    )


def _entry(by: Actor, listing: Listing, system: System, at_ms: int, login: str, account: SealedAccount | None, *, in_target: bool,
           enabled: bool | None) -> Entry:  # fmt: skip
    fields = {
        "listing_id": listing.pk, "system_id": system.pk, "account_id": account.pk if account else None, "login": login, "taken_at": at_ms,
        "in_register": account is not None, "in_target": in_target, "enabled": enabled,
    }  # fmt: skip
    return Entry("sealed.account_listed", by, fields, subject=account.log_subject if account else system.log_subject)
