"""`kill -9` at every step of making new offline cards: the last resort works at any moment, with a pair that is known."""

import signal
from collections.abc import Iterator

import pytest

from portal import crash_points
from portal.offline_card import combine
from portal.sealed import cards, rotating
from portal.sealed.models import CARDS, OfflineSet, Rotation
from tests.faults.programs import running
from tests.portal.sealed.printed import printed, states
from tests.portal.sealed.vault import Vault, make_vault
from tests.worlds import actor, sealing

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def vault() -> Iterator[Vault]:
    with sealing():
        yield make_vault(CARDS)


@pytest.mark.parametrize(
    "step",
    [pytest.param(each, marks=[] if each == "changed" else pytest.mark.faults) for each in crash_points.OF_CARDS],
)
def test_killed_while_new_cards_are_made_the_old_or_the_new_ones_work(vault: Vault, step: str) -> None:
    """A real process is killed at each step. What the target takes then is what the old cards give, or the new ones that both custodians hold."""
    old = combine(*printed(vault)).password
    cards.renew(by=actor(vault.cleo), account=vault.account)
    new = None
    if step != "prepared":  # both custodians have to hold the new pair before the target is touched
        rotating.run_due()
        new = combine(*printed(vault)).password
    with running("watch", "--only", "rotations", environment={"PORTAL_CRASH_AT": f"cards: {step}"}) as program:
        assert program.process.wait(60) == -signal.SIGKILL, program.said
    kept = {each.number: each.state for each in OfflineSet.objects.filter(account=vault.account)}
    works = [vault.taken_by_target(each) for each in (old, new) if each]
    assert works == ([True] if new is None else [True, False] if step == "begun" else [False, True])
    assert kept == ({1: "replaced", 2: "out"} if step == "confirmed" else {1: "out", 2: "coming"})
    if new is None:
        new = combine(*printed(vault)).password
    Rotation.objects.filter(account=vault.account).update(next_try_at=None)
    rotating.run_due()  # goes on with the same pair
    assert states(vault) == [(2, "out"), (1, "replaced")]
    assert vault.taken_by_target(new)
