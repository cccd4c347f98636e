"""The demo's systems, as a table: what they are, and who works with them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from portal.demo.clock import at
from portal.demo.target import PRIVILEGES, TABLES_SAID
from portal.policy.rules import Policy

REVIEWERS = ("kim", "lea")
FIRST_LOGGED = at("2026-06-29 00:00")


@dataclass(frozen=True)
class Place:
    """A system of the demo, its one or more privileges, and who works with it. ``listed`` may ask without the role of a responder.

    Its log is gathered from ``logged_from`` on: the portal was taken into use one system after the other.
    """

    slug: str
    name: str
    way_in: str
    responders: tuple[str, ...]
    approver: str = "ines"
    criticality: str = "normal"
    personal_data: bool = False
    connector: str = "simulated"
    privileges: tuple[tuple[str, str], ...] = ()
    listed_by: Mapping[str, str] = field(
        default_factory=dict
    )  # privilege -> owner who put people on its list, if not Mo
    policy: Policy = field(default_factory=Policy)
    sealed: tuple[str, str, str] | None = (
        None  # account on the target, its name in words, where it is used; Otto keeps it
    )
    logged_from: datetime = FIRST_LOGGED
    reviewers: tuple[str, ...] = REVIEWERS
    more_roles: tuple[tuple[str, str], ...] = ()
    listed: tuple[str, ...] = ()


PLACES = (
    Place("shop", "Shop database", f"From the jump host, with psql: the line below is ready to paste. {TABLES_SAID}", ("ann",),
          criticality="normal", personal_data=True, connector="postgresql", privileges=tuple(PRIVILEGES.items()),
          policy=Policy(bypass_extensions=1), listed_by={"shop_support": "nora"}, more_roles=(("jon", "approver"),)),
    Place("billing", "PostgreSQL primary, billing", "From the jump host.", ("ann",), criticality="critical",
          policy=Policy(max_grant_minutes=60, bypass_minutes=30), more_roles=(("ines", "reviewer"),)),
    Place("sso", "Single sign-on", "Through its administrators' console.", ("ben",), logged_from=at("2026-07-07 00:00"),
          sealed=("sso_breakglass", "Single sign-on: break-glass administrator", "At the console of the identity provider, door 4 of the cage.")),
    Place("aws", "AWS production account", "Through the cloud's console.", ("ben",), logged_from=at("2026-07-13 00:00"),
          more_roles=(("tom", "approver"),), listed=("tom",)),
    Place("k8s", "Kubernetes cluster eu-1", "With kubectl, from the jump host.", ("ben",), logged_from=at("2026-07-19 00:00"), listed=("ulla",)),
    Place("patient", "Patient record system", "At any ward's terminal.", ("cleo",), personal_data=True, logged_from=at("2026-07-26 00:00")),
    Place("payments", "Payments API", "Through the payments gateway.", ("dan",), criticality="critical", logged_from=at("2026-08-02 00:00")),
    Place("network", "Core switch firewall", "Over the serial console.", ("dan",), approver="jon", criticality="critical",
          logged_from=at("2026-08-06 00:00"), reviewers=("kim",)),
    Place("warehouse", "Data warehouse", "From the analysts' host.", ("ann",), approver="jon", personal_data=True, logged_from=at("2026-08-12 00:00")),
    Place("payroll", "HR payroll", "From the payroll office's host.", ("ann",), approver="jon", personal_data=True, logged_from=at("2026-08-19 00:00")),
    Place("mail", "Mail gateway", "Through the gateway's console.", ("emil",), approver="jon", personal_data=True, logged_from=at("2026-08-26 00:00")),
    Place("storage", "Vendor storage array", "Through the vendor's console, from the cage.", ("vera",), approver="jon", logged_from=at("2026-09-02 00:00"),
          policy=Policy(max_grant_minutes=240)),
    Place("wiki", "Wiki", "Over SSH.", ("emil",), approver="jon", logged_from=at("2026-09-19 00:00")),
)  # fmt: skip
