"""The register: two administrators, custodians' secrets, pages that show none, and the target held against it."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.log.read import named
from portal.connectors.sealed.simulated import SimulatedKeeper
from portal.connectors.simulated import logins, state
from portal.errors import ChangedMeanwhile, NotAllowed, RefusedByPolicy, StepUpNeeded, WrongState
from portal.findings import intake
from portal.findings.models import Finding
from portal.grants import actions as grants
from portal.grants.releasing import release
from portal.reconciliation import listings
from portal.sealed import actions, probing, rotations
from portal.sealed.models import CARDS, CONNECTOR, CUSTODIAN, Rotation, SealedAccount
from portal.sealed.queries import in_use_on, sealed_in
from portal.sealed.runs import runs_of
from portal.systems.models import Privilege
from portal.systems.targets import target
from tests.browsing import browser_of
from tests.factories import fields_of
from tests.portal.sealed.vault import LOGIN, NEXT, SECRET, Vault, custodian, make_vault, proposed
from tests.servers import wait_until
from tests.worlds import World, actor, make_world, opened, sealing

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def vault() -> Vault:
    return make_vault()


@pytest.fixture
def world() -> World:
    return make_world()


def test_second_administrator_puts_it_into_force_and_the_first_secret_is_owed(world: World) -> None:
    cleo = custodian(world, "cleo")
    row = proposed(world, cleo)
    for who, error in ((world.pia, NotAllowed), (world.mo, NotAllowed), (world.zoe, NotAllowed)):
        with pytest.raises(error):
            actions.approve(by=actor(who), account=row)
    with pytest.raises(StepUpNeeded):
        actions.approve(by=actor(world.quinn, method=None), account=row)
    assert Privilege.objects.filter(on_target=LOGIN).count() == 0
    done = actions.approve(by=actor(world.quinn), account=row)
    assert (done.state, done.privilege and done.privilege.on_target) == ("sealed", LOGIN)
    assert Rotation.objects.get(account=row).cause == "laid_in"
    with pytest.raises(WrongState):
        actions.approve(by=actor(world.quinn), account=row)
    assert fields_of("sealed.registered", row.log_subject)["approved_by"] == str(world.quinn.pk)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"custodian": "zoe"}, "not a custodian"),
        ({"account": "billing_emergency"}, "privilege of that name"),
        ({"kept_by": CARDS}, "two different custodians"),
    ],
)
def test_what_cannot_be_kept_is_refused(world: World, changed: dict[str, str], says: str) -> None:
    given = {"account": LOGIN, "kept_by": CUSTODIAN, "custodian": "cleo"} | changed
    custodian(world, "cleo")
    with pytest.raises(RefusedByPolicy, match=says):
        actions.propose(
            by=actor(world.pia), system=world.system, name="Vault", location="There.", account=given["account"], kept_by=given["kept_by"],
            custodian=world.people[given["custodian"]],
        )  # fmt: skip


def test_portal_keeps_nothing_that_it_does_not_reach(world: World) -> None:
    world.system.connector, world.system.settings = "sealed", {}
    world.system.save()
    with pytest.raises(RefusedByPolicy, match="does not reach"):
        proposed(world, custodian(world, "cleo"), CONNECTOR)
    assert proposed(world, world.cleo).state == "proposed"


def test_custodian_alone_lays_in_and_tries(vault: Vault) -> None:
    account, world = vault.account, vault.world
    with pytest.raises(NotAllowed):
        rotations.lay_in(by=actor(world.mo), account=account, secret=NEXT)
    with pytest.raises(RefusedByPolicy, match="to be replaced"):
        rotations.lay_in(by=actor(vault.cleo), account=account, secret=SECRET)
    with pytest.raises(RefusedByPolicy, match="at least"):
        rotations.lay_in(by=actor(vault.cleo), account=account, secret="short")
    with pytest.raises(WrongState):
        rotations.note_test(by=actor(vault.cleo), account=account, taken=True)
    rotations.lay_in(by=actor(vault.cleo), account=account, secret=NEXT)
    probing.try_secret(by=actor(vault.cleo), account=account)  # it was not set on the target
    assert Rotation.objects.get(cause="changed").state == "owed"
    vault.set_on_target(NEXT)
    with pytest.raises(RefusedByPolicy, match="to be replaced"):
        rotations.lay_in(by=actor(vault.cleo), account=account, secret=NEXT)
    vault.set_on_target("a third secret of the vault")
    rotations.lay_in(by=actor(vault.cleo), account=account, secret="a third secret of the vault")
    probing.try_secret(by=actor(vault.cleo), account=account)
    done = Rotation.objects.get(cause="changed")
    assert (done.state, done.rotated_by, done.tested_by) == ("done", str(vault.cleo.pk), "connector")
    assert [event.fields["ok"] for event in named(("sealed.tested",))] == [1, 0, 1]


def test_login_test_vouches_for_no_secret_that_was_laid_in_meanwhile(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The target takes the first one; the second, which nobody has set there, is laid in while it is asked."""
    cleo, asks = actor(vault.cleo), SimulatedKeeper.tries_login
    vault.set_on_target(NEXT)
    rotations.lay_in(by=cleo, account=vault.account, secret=NEXT)

    def slow(keeper: SimulatedKeeper, *asked: Any) -> bool:
        taken = asks(keeper, *asked)
        rotations.lay_in(by=cleo, account=vault.account, secret="not set anywhere yet")
        return taken

    monkeypatch.setattr(SimulatedKeeper, "tries_login", slow)
    with pytest.raises(ChangedMeanwhile, match="Try that one"):
        probing.try_secret(by=cleo, account=vault.account)
    assert {each.state for each in Rotation.objects.filter(cause="changed")} == {"rotated"}
    monkeypatch.setattr(SimulatedKeeper, "tries_login", asks)
    probing.try_secret(by=cleo, account=vault.account)
    assert {each.state for each in Rotation.objects.filter(cause="changed")} == {"owed"}


def test_another_custodian_owes_a_new_secret(vault: Vault) -> None:
    dora, account = vault.world.dora, vault.account
    with pytest.raises(NotAllowed):
        actions.hand_over(by=actor(vault.cleo), account=account, custodian=dora)
    actions.hand_over(by=actor(vault.world.mo), account=account, custodian=dora)
    assert Rotation.objects.get(cause="handed_over").state == "owed"
    with pytest.raises(NotAllowed):
        rotations.lay_in(by=actor(vault.cleo), account=account, secret=NEXT)
    rotations.lay_in(by=actor(dora), account=account, secret=NEXT)


def test_out_of_use_forgets_the_secret_and_is_asked_for_no_more(vault: Vault) -> None:
    actions.retire(by=actor(vault.world.mo), account=vault.account)
    assert (vault.account.state, vault.account.secret) == ("retired", None)
    assert in_use_on(vault.world.system) == []


def test_account_that_was_out_of_use_is_put_under_seal_again_and_its_past_stays(vault: Vault) -> None:
    world, cleo, before = vault.world, vault.cleo, vault.account
    with pytest.raises(RefusedByPolicy, match="already"):
        proposed(world, cleo)  # while it is in use
    actions.retire(by=actor(world.mo), account=before)
    row = proposed(world, cleo)
    with pytest.raises(RefusedByPolicy, match="already"):
        proposed(world, cleo)
    again = actions.approve(by=actor(world.quinn), account=row)
    before.refresh_from_db()
    assert (before.state, before.privilege, again.state, again.privilege) == (
        "retired", world.privilege, "sealed", world.privilege,
    )  # fmt: skip
    assert (sealed_in(world.privilege), in_use_on(world.system)) == (again, [again])
    assert len(named(("privilege.added",))) == len(named(("sealed.registered",))) - 1
    assert [run.over is None for run in runs_of([world.system.pk])[world.system.pk]] == [False, True]
    rotations.lay_in(by=actor(cleo), account=again, secret=NEXT)
    with sealing():
        assert opened(world).account == again


# --- pages


def test_secret_is_shown_to_the_holder_and_stands_nowhere_else(vault: Vault) -> None:
    with sealing():
        grant = opened(vault.world)
        release(by=actor(vault.world.ines), grant=grant)
        page = browser_of(vault.world.ann).post(f"/grants/{grant.pk}/reveal/")
    assert (page.status_code, page["Cache-Control"]) == (200, "no-store, private")
    assert SECRET in page.content.decode()
    for who in ("ann", "ines", "mo", "cleo", "otto"):
        browser = browser_of(vault.world.people[who])
        seen = [
            browser.get(f"/requests/{grant.request_id}/"),
            browser.get(f"/sealed/{vault.account.pk}/"),
            browser.get("/sealed/"),
        ]
        assert not any(SECRET in answer.content.decode() for answer in seen)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM audit_event WHERE body LIKE %s", [f"%{SECRET}%".encode()])
        events = cursor.fetchone()
        cursor.execute("SELECT count(*) FROM audit_personal_value WHERE value LIKE %s", [f"%{SECRET}%"])
        assert (events, cursor.fetchone()) == ((0,), (0,))


def test_typed_secret_is_not_given_back(vault: Vault) -> None:
    answer = browser_of(vault.cleo).post(f"/sealed/{vault.account.pk}/secret/", {"password": "tooshort"})
    assert (answer.status_code, "tooshort" in answer.content.decode()) == (422, False)


def test_second_person_releases_on_the_page_and_the_holder_is_told_to_wait(vault: Vault) -> None:
    with sealing():
        grant = opened(vault.world)
    address = f"/requests/{grant.request_id}/"
    ann, ines = browser_of(vault.world.ann), browser_of(vault.world.ines)
    assert "A second person releases the secret" in ann.get(address).content.decode()
    assert "Show the secret" not in ann.get(address).content.decode()
    assert ines.post(f"/grants/{grant.pk}/release/").status_code == 302
    assert "Show the secret" in ann.get(address).content.decode()
    assert "Release the secret" not in ines.get(address).content.decode()
    grants.give_back(by=actor(vault.world.ann), grant=grant)
    assert browser_of(vault.cleo).get(address).status_code == 200


def test_register_takes_the_same_queries_for_one_account_and_for_three(vault: Vault) -> None:
    mo = browser_of(vault.world.mo)

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert mo.get("/sealed/").status_code == 200
        return len(queries)

    one = asked()
    for name in ("vault_two", "vault_three"):
        row = actions.propose(
            by=actor(vault.world.pia),
            system=vault.world.system,
            name=name,
            account=name,
            location="There.",
            kept_by=CUSTODIAN,
            custodian=vault.cleo,
        )
        actions.approve(by=actor(vault.world.quinn), account=row)
    assert SealedAccount.objects.count() == 3
    assert asked() == one


# --- the target held against it


@pytest.fixture
def _sealing() -> Iterator[None]:
    with sealing():
        yield


@pytest.mark.usefixtures("_sealing")
def test_register_and_target_are_held_against_each_other_both_ways(vault: Vault) -> None:
    system = vault.world.system
    with state.changing(target(system)) as rows:
        logins.add_standing(rows, "left_behind", vault.world.privilege.on_target)
    listings.take(by=actor(vault.world.mo), system=system)
    first = {
        event.says("login"): (event.fields["in_register"], event.fields["in_target"])
        for event in named(("sealed.account_listed",))
    }
    assert first == {LOGIN: (1, 1), "left_behind": (0, 1)}
    assert LOGIN not in {event.says("login") for event in named(("target.login_listed",))}
    with state.changing(target(system)) as rows:
        rows.execute("DELETE FROM login WHERE name = ?", [LOGIN])
    listings.take(by=actor(vault.world.mo), system=system)

    def titles() -> list[str]:
        intake.run()
        return sorted(Finding.objects.filter(kind="sealed account").values_list("title", flat=True))

    wait_until(lambda: len(titles()) == 2, "both findings")
    assert titles() == [
        "Billing: an account is in the register and not on the target",
        "Billing: an account is on the target and in no register",
    ]
