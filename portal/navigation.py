"""Which pages a person finds in the navigation, by the roles that they hold."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse

from portal.eligibility.models import ADMINISTRATOR, APPROVER, AUDITOR, CUSTODIAN, OWNER, RESPONDER, REVIEWER

JUDGES = frozenset({REVIEWER, OWNER, ADMINISTRATOR, AUDITOR})
KEEPERS = frozenset({ADMINISTRATOR, OWNER, AUDITOR})
EVERYBODY: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Place:
    """One link. The first four that a person sees are the tabs of a phone.

    ``for_all``: what lies behind it is of no one system, so only roles for all systems open it.
    """

    label: str
    url_name: str
    icon: str
    roles: frozenset[str]
    group: str = ""
    for_all: bool = False


PLACES = (
    Place("Home", "home", "home", EVERYBODY),
    Place("Requests", "requests", "key", EVERYBODY),
    Place("Reviews", "reviews", "clipboard-check", frozenset({REVIEWER, AUDITOR, OWNER})),
    Place("Findings", "findings", "flag", JUDGES | {APPROVER}),
    Place("Campaigns", "campaigns", "list-check", JUDGES),
    Place("Drills", "drills", "activity", JUDGES | {APPROVER, RESPONDER}),
    Place("Calendar", "calendar", "calendar", JUDGES | {APPROVER, CUSTODIAN}),
    Place("Alerts", "alerts", "bell", EVERYBODY),
    Place("Lists", "lists", "download", EVERYBODY),
    Place("Sealed accounts", "sealed", "lock", KEEPERS | {CUSTODIAN, APPROVER}, "Look after"),
    Place("Systems", "systems", "server", KEEPERS, "Look after"),
    Place("Stops", "stops", "hand-stop", KEEPERS | {APPROVER}, "Look after"),
    Place("Rotas", "rotas", "refresh", KEEPERS | {APPROVER}, "Look after"),
    Place("Policies", "policies", "scale", KEEPERS, "Look after"),
    Place("People", "people", "users", frozenset({ADMINISTRATOR}), "Look after", for_all=True),
    Place("Retention", "retention", "hourglass", frozenset({ADMINISTRATOR, AUDITOR}), "Look after", for_all=True),
    Place("Holds and erasures", "erasing", "lock", frozenset({ADMINISTRATOR, AUDITOR}), "Look after", for_all=True),
    Place("Receivers", "receivers", "external-link", frozenset({ADMINISTRATOR}), "Look after", for_all=True),
    Place("Cases", "case_list", "file-text", JUDGES, "Evidence"),
    Place("Figures", "figures", "activity", JUDGES, "Evidence"),
    Place("Signals", "signals", "flag", JUDGES, "Evidence"),
    Place("Log", "log_page", "shield-lock", frozenset({AUDITOR}), "Evidence", for_all=True),
    Place("Packs", "pack_list", "file-certificate", frozenset({AUDITOR}), "Evidence"),
    Place("Status", "status_page", "heartbeat", KEEPERS, "Evidence"),
)


def navigation(held: Mapping[str, bool], path: str) -> list[dict[str, object]]:
    """The links for roles, each with whether it is for all systems; the one of the longest address that ``path`` begins with is marked."""
    links = [
        (place, address)
        for place in PLACES
        if not place.roles or any(held[role] or not place.for_all for role in place.roles & held.keys())
        for address in [_address(place)]
        if address
    ]
    here = max(
        (address for _, address in links if address != "/" and path.startswith(address)),
        key=len,
        default="/" if path == "/" else "",
    )
    return [
        {"label": place.label, "url": address, "icon": place.icon, "group": place.group, "active": address == here}
        for place, address in links
    ]


def _address(place: Place) -> str:
    try:
        return reverse(place.url_name)
    except NoReverseMatch:
        return ""
