"""The lists that are attested, each on its own cadence, and what a list of one of them is called.

The names are the catalogue's (``attestation_days``). One list is of one system, or of what holds for all systems.
"""

from dataclasses import dataclass

from portal.systems.models import System

ELIGIBILITIES, ROLES, ACCOUNTS = "eligibility", "roles", "accounts"
ALL_SYSTEMS = "All systems"


@dataclass(frozen=True)
class AttestedList:
    """A kind of list. ``what`` is attested, as a sentence says it. ``asks_target``: the target is asked who can act, which is held against it.

    ``of_all``: one is of no system alone. ``of_accounts``: only systems with sealed accounts have it.
    """

    kind: str
    title: str
    what: str
    says: str
    asks_target: bool = False
    of_all: bool = False
    of_accounts: bool = False


LISTS = {
    each.kind: each
    for each in (
        AttestedList(
            ELIGIBILITIES, "Who may ask for access", "list",
            "Each person who may ask for a privilege, and each login on the target that can act without asking.",
            asks_target=True,
        ),
        AttestedList(
            ACCOUNTS, "Sealed accounts", "sealed accounts",
            "Each account that lasts on a target under seal: who keeps it, who may check it out, its last use, drill and new secret.",
            asks_target=True, of_accounts=True,
        ),
        AttestedList(ROLES, "Who holds which role", "roles", "Each role in the portal, and whose it is.", of_all=True),
    )
}  # fmt: skip


def name_of(system: System | None) -> str:
    """The system's name, or that it is about all of them."""
    return system.name if system is not None else ALL_SYSTEMS
