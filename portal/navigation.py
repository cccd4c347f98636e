"""Which pages a person finds in the navigation, by the roles that they hold."""

from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse

from portal.eligibility.models import ADMINISTRATOR, APPROVER, AUDITOR, CUSTODIAN, OWNER, RESPONDER, REVIEWER

JUDGES = frozenset({REVIEWER, OWNER, ADMINISTRATOR, AUDITOR})
KEEPERS = frozenset({ADMINISTRATOR, OWNER, AUDITOR})
EVERYBODY: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Place:
    """One link. The first four that a person sees are the tabs of a phone."""

    label: str
    url_name: str
    icon: str
    roles: frozenset[str]
    group: str = ""


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
    Place("People", "people", "users", frozenset({ADMINISTRATOR}), "Look after"),
    Place("Retention", "retention", "hourglass", frozenset({ADMINISTRATOR, AUDITOR}), "Look after"),
    Place("Holds and erasures", "erasing", "lock", frozenset({ADMINISTRATOR, AUDITOR}), "Look after"),
    Place("Receivers", "receivers", "external-link", frozenset({ADMINISTRATOR}), "Look after"),
    Place("Cases", "case_list", "file-text", JUDGES, "Evidence"),
    Place("Figures", "figures", "activity", JUDGES, "Evidence"),
    Place("Signals", "signals", "flag", JUDGES, "Evidence"),
    Place("Log", "log_page", "shield-lock", frozenset({AUDITOR}), "Evidence"),
    Place("Packs", "pack_list", "file-certificate", frozenset({AUDITOR}), "Evidence"),
    Place("Status", "status_page", "heartbeat", KEEPERS, "Evidence"),
)


def navigation(roles: frozenset[str], path: str) -> list[dict[str, object]]:
    """The links for these roles; the one of the longest address that ``path`` begins with is marked."""
    links = [
        (place, address)
        for place in PLACES
        if not place.roles or place.roles & roles
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
