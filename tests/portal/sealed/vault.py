"""An account under seal on the small organisation's simulated system, by the real actions; Cleo keeps it."""

from dataclasses import dataclass, replace
from datetime import timedelta

from portal.clock import now
from portal.connectors.base import Secret
from portal.connectors.sealed.simulated import hashed, set_password
from portal.connectors.simulated import logins, state
from portal.eligibility.models import CUSTODIAN as CUSTODIAN_ROLE
from portal.eligibility.models import Eligibility, RoleAssignment
from portal.people.models import Person
from portal.sealed import actions, rotating, rotations
from portal.sealed.models import CARDS, CONNECTOR, CUSTODIAN, SealedAccount
from portal.systems.models import Privilege
from portal.systems.targets import target
from tests.worlds import World, actor, make_world

SECRET, NEXT = "the secret of the vault", "another secret of the vault"
LOGIN = "vault_admin"


@dataclass(frozen=True)
class Vault:
    """The world, whose privilege is the sealed account, and its custodian."""

    world: World
    cleo: Person

    @property
    def account(self) -> SealedAccount:
        """As it is now."""
        return SealedAccount.objects.select_related("system", "privilege", "custodian").get(account=LOGIN)

    def set_on_target(self, secret: str) -> None:
        """What its custodian does on the target."""
        set_password(target(self.world.system), LOGIN, Secret(secret))

    def taken_by_target(self, secret: str) -> bool:
        """Whether the target would let somebody in with it."""
        with state.changing(target(self.world.system)) as connection:
            row = logins.find(connection, LOGIN)
            return bool(row and row["can_login"] and row["verifier"] == hashed(LOGIN, Secret(secret)))

    def has_secret(self, secret: str) -> bool:
        """Whether it is what lies in the portal."""
        return rotations.secret_of(self.account) == Secret(secret)


def make_vault(kept_by: str = CUSTODIAN, *, world: World | None = None) -> Vault:
    """Registered, with its first secret laid in and tried."""
    world = world or make_world()
    cleo, _ = custodian(world, "cleo"), custodian(world, "dora")
    with state.changing(target(world.system)) as connection:
        logins.add_standing(connection, LOGIN, LOGIN)
    account = registered(world, cleo, kept_by)
    vault = Vault(replace(world, privilege=Privilege.objects.get(sealed_account=account)), cleo)
    _list(vault.world, "ann", "ben")
    if kept_by in (CONNECTOR, CARDS):
        rotating.run(account.pk)
    else:
        vault.set_on_target(SECRET)
        rotations.lay_in(by=actor(cleo), account=account, secret=SECRET)
        rotations.note_test(by=actor(cleo), account=account, taken=True)
    return vault


def custodian(world: World, name: str) -> Person:
    """One more person, who keeps accounts of the system."""
    person = Person.objects.create(email=f"{name}@example.org", name=name.title(), added_at=now())
    person.set_password(f"{name}-password-long")
    person.save()
    world.people[name] = person
    give_role(world, person)
    return person


def proposed(world: World, cleo: Person, kept_by: str = CUSTODIAN) -> SealedAccount:
    """Waits for a second administrator."""
    return actions.propose(
        by=actor(world.pia), system=world.system, name="The vault's administrator", account=LOGIN, location="At the console.",
        kept_by=kept_by, custodian=cleo, second_custodian=world.dora if kept_by == CARDS else None,
    )  # fmt: skip


def registered(world: World, cleo: Person, kept_by: str = CUSTODIAN) -> SealedAccount:
    """By two administrators."""
    return actions.approve(by=actor(world.quinn), account=proposed(world, cleo, kept_by))


def give_role(world: World, cleo: Person) -> None:
    """That of custodian of the system."""
    at = now() - timedelta(days=30)
    RoleAssignment.objects.create(
        person=cleo, role=CUSTODIAN_ROLE, system=world.system, proposed_by=world.pia, proposed_at=at, approved_by=world.quinn,
        approved_at=at, from_at=at,
    )  # fmt: skip


def _list(world: World, *names: str) -> None:
    at = now() - timedelta(days=30)
    for name in names:
        Eligibility.objects.create(
            person=world.people[name], privilege=world.privilege, proposed_by=world.pia, proposed_at=at, approved_by=world.quinn,
            approved_at=at, from_at=at,
        )  # fmt: skip
