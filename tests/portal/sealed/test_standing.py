"""What the register says of an account: sealed only where somebody could open it and nothing is owed."""

import re
from collections.abc import Iterator

import pytest
from django.utils.html import strip_tags

from portal.connectors.base import Unreachable
from portal.connectors.sealed.simulated import SimulatedKeeper
from portal.eligibility.actions import end_role
from portal.eligibility.models import RoleAssignment
from portal.sealed import actions, cards, probing, rotations
from portal.sealed.models import CARDS, CONNECTOR, CUSTODIAN, SealedAccount
from portal.sealed.shutting import shut
from tests.browsing import browser_of
from tests.portal.sealed.printed import changing, papers_of, printed
from tests.portal.sealed.vault import NEXT, Vault, custodian, make_vault, proposed, registered
from tests.worlds import World, actor, make_world, opened, sealing

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _sealing() -> Iterator[None]:
    with sealing():
        yield


def says(world: World) -> list[tuple[str, str]]:
    """Of each account its badge and its secret, as the register shows them to the owner of the system."""
    page = browser_of(world.mo).get("/sealed/").content.decode()
    cells = [re.findall(rf'data-label="{name}">(.*?)</td>', page, re.DOTALL) for name in ("Now", "Secret")]
    return [(words(badge), words(secret)) for badge, secret in zip(*cells, strict=True)]


def words(cell: str) -> str:
    return re.sub(r"(since|Due) .*", r"\1 then", " ".join(strip_tags(cell).split()))


def standing(world: World) -> str:
    return says(world)[0][0]


def test_nobody_gets_in_before_both_cards_are_printed_and_held() -> None:
    vault = make_vault(CARDS)
    not_printed = ("No way in: cards not printed", "On two cards, not printed")
    assert says(vault.world) == [not_printed]
    page = browser_of(vault.world.mo).get("/sealed/").content.decode()
    assert "tone-good" not in page
    papers_of(vault)
    assert says(vault.world) == [not_printed]


def test_cards_that_are_held_open_it_until_new_ones_are_held() -> None:
    vault = make_vault(CARDS)
    printed(vault)
    assert says(vault.world) == [("Sealed", "On two cards alone")]
    cards.renew(by=actor(vault.cleo), account=vault.account)
    assert says(vault.world) == [("New cards owed", "Due then")]


def test_change_of_cards_that_is_not_read_back_is_said() -> None:
    vault = make_vault(CARDS)
    printed(vault)
    changing(vault)
    assert standing(vault.world) == "Cards being changed on the target"


def test_no_card_was_made_yet() -> None:
    world = make_world()
    custodian(world, "cleo"), custodian(world, "dora")
    registered(world, world.cleo, CARDS)
    assert standing(world) == "No way in: new cards are being made"


def test_account_without_a_secret_has_no_way_in() -> None:
    world = make_world()
    row = proposed(world, custodian(world, "cleo"))
    assert standing(world) == "Waits for a second administrator"
    actions.approve(by=actor(world.quinn), account=row)
    assert says(world) == [("No way in: no secret laid in", "Due then")]


def test_secret_that_is_to_be_tried_then_held_then_owed() -> None:
    vault = make_vault()
    assert says(vault.world) == [("Sealed", "Replaced and tested")]
    vault.set_on_target(NEXT)
    rotations.lay_in(by=actor(vault.cleo), account=vault.account, secret=NEXT)
    assert standing(vault.world) == "New secret, not tested"
    probing.try_secret(by=actor(vault.cleo), account=vault.account)
    opened(vault.world)
    assert standing(vault.world) == "With its holder Ann, since then"
    other = make_vault_of(vault)
    actions.hand_over(by=actor(vault.world.mo), account=other, custodian=vault.world.dora)
    assert "New secret owed" in [badge for badge, _ in says(vault.world)]


def make_vault_of(vault: Vault) -> SealedAccount:
    """A second account of the same custodian, with its secret."""
    row = actions.propose(
        by=actor(vault.world.pia), system=vault.world.system, name="Another", account="another", location="There.",
        kept_by=CUSTODIAN, custodian=vault.cleo,
    )  # fmt: skip
    account = actions.approve(by=actor(vault.world.quinn), account=row)
    rotations.lay_in(by=actor(vault.cleo), account=account, secret=NEXT)
    rotations.note_test(by=actor(vault.cleo), account=account, taken=True)
    return account


@pytest.mark.parametrize("whose", ["cleo", "dora"])
def test_custodian_who_lost_the_role_is_missed(whose: str) -> None:
    vault = make_vault(CARDS)
    printed(vault)
    end_role(by=actor(vault.world.pia), assignment=RoleAssignment.objects.get(person=vault.world.people[whose]))
    assert standing(vault.world) == "Another custodian is wanted"


def test_out_of_use_is_said_once_the_target_refuses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    vault = make_vault(CONNECTOR)
    with monkeypatch.context() as changed:
        changed.setattr(SimulatedKeeper, "look", unreachable)
        actions.retire(by=actor(vault.world.mo), account=vault.account)
        shut(by=actor(vault.world.mo), account_id=vault.account.pk)
    assert standing(vault.world) == "Out of use, not seen shut"
    shut(by=actor(vault.world.mo), account_id=vault.account.pk)
    assert says(vault.world) == [("Out of use", "None")]


def unreachable(*_args: object) -> None:
    raise Unreachable("The target does not answer.")


def test_account_put_under_seal_again_speaks_for_the_one_before() -> None:
    vault = make_vault()
    actions.retire(by=actor(vault.world.mo), account=vault.account)
    proposal = proposed(vault.world, vault.cleo)
    assert sorted(badge for badge, _ in says(vault.world)) == ["Out of use", "Waits for a second administrator"]
    actions.decline(by=actor(vault.world.quinn), account=proposal)
    assert sorted(badge for badge, _ in says(vault.world)) == ["Declined", "Out of use, not seen shut"]


def test_refused_answer_of_a_drill_still_says_how_it_stands() -> None:
    vault = make_vault(CARDS)
    printed(vault)
    browser, address = browser_of(vault.cleo), f"/sealed/{vault.account.pk}/drill/"
    browser.post(f"{address}begin/")
    answer = browser.post(address, {"answer": ""})
    assert answer.status_code == 422
    lead = re.search(r'<p class="lead">(.*?)</p>', answer.content.decode(), re.DOTALL)
    assert words(lead[1] if lead else "") == "Billing · Sealed"
