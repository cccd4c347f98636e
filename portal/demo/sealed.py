"""The demo's sealed account: put under seal by two administrators, its secret laid in by its custodian, and replaced after its one past use."""

from datetime import datetime
from typing import TYPE_CHECKING

from portal.connectors.base import Secret
from portal.connectors.postgresql.secrets import make_password
from portal.connectors.sealed.simulated import set_password
from portal.connectors.simulated import logins, state
from portal.demo.clock import at
from portal.eligibility import actions as lists
from portal.sealed import actions, probing, rotating, rotations
from portal.sealed.models import CARDS, CUSTODIAN, SealedAccount
from portal.systems.models import Privilege, System
from portal.systems.targets import target

if TYPE_CHECKING:
    from portal.demo.organisation import Organisation
    from portal.demo.stage import Stage

KEEPER, OFFLINE = "otto", "sso_offline"
ROTATIONS = (  # a new secret and the login with it: the morning after the use, and after the drill
    (at("2026-07-09 08:30"), at("2026-07-09 08:45")), (at("2026-09-21 15:00"), at("2026-09-21 15:10")),
)  # fmt: skip
LISTED_AT = at("2026-09-15 01:00")


def register(organisation: "Organisation", system: System, account: str, name: str, location: str) -> SealedAccount:
    """The account stands on the target already, as one of a shared vault would; Otto gives it its first secret."""
    otto = organisation.people[KEEPER]
    role = lists.propose_role(by=organisation.by("pia"), person=otto, role="custodian", system=system)
    lists.approve_role(by=organisation.by("quinn"), assignment=role)
    with state.changing(target(system)) as connection:
        logins.add_standing(connection, account, account)
    proposed = actions.propose(
        by=organisation.by("pia"),
        system=system,
        name=name,
        account=account,
        location=location,
        kept_by=CUSTODIAN,
        custodian=otto,
    )
    kept = actions.approve(by=organisation.by("quinn"), account=proposed)
    lay_in(organisation, kept)
    probing.try_secret(by=organisation.by(KEEPER), account=kept)
    return kept


def lay_in(organisation: "Organisation", account: SealedAccount) -> None:
    """Otto sets a new secret on the target, then lays it in."""
    secret = make_password()
    set_password(target(account.system), account.account, Secret(secret.reveal()))
    rotations.lay_in(by=organisation.by(KEEPER), account=account, secret=secret.reveal())


def rotate(stage: "Stage", when: datetime, tested: datetime) -> None:
    """A new secret after it was shown, and a login with it."""
    organisation = stage.organisation
    organisation.clock.set(when)
    for account in SealedAccount.objects.select_related("system"):
        lay_in(organisation, account)
        organisation.clock.set(tested)
        probing.try_secret(by=organisation.by(KEEPER), account=account)
    stage.run("outbox")


def compare(stage: "Stage") -> None:
    """A listing of the target, with the register held against it."""
    from portal.reconciliation import listings  # noqa: PLC0415 - the organisation is built before anything is listed

    for account in SealedAccount.objects.select_related("system"):
        stage.move(account.system, LISTED_AT)
        listings.take(by=listings.LISTINGS, system=account.system)
        stage.release(account.system)


def add_cards(organisation: "Organisation") -> None:
    """At the demo's present: the last resort of single sign-on, whose two cards wait for Otto and Nora to print them."""
    system, nora = organisation.systems["sso"], organisation.people["nora"]
    role = lists.propose_role(by=organisation.by("pia"), person=nora, role="custodian", system=system)
    lists.approve_role(by=organisation.by("quinn"), assignment=role)
    with state.changing(target(system)) as connection:
        logins.add_standing(connection, OFFLINE, OFFLINE)
    proposed = actions.propose(
        by=organisation.by("pia"), system=system, name="Single sign-on: last resort", account=OFFLINE, location="Any console, with both cards.",
        kept_by=CARDS, custodian=organisation.people[KEEPER], second_custodian=nora,
    )  # fmt: skip
    kept = actions.approve(by=organisation.by("quinn"), account=proposed)
    rotating.run(kept.pk)
    listed = lists.propose_eligibility(
        by=organisation.by("pia"),
        person=organisation.people["ben"],
        privilege=Privilege.objects.get(sealed_account=kept),
    )
    lists.approve_eligibility(by=organisation.by("mo"), eligibility=listed)
