"""Offline cards in tests: printed by both custodians, who say that they hold them."""

import pytest

from portal import offline_card
from portal.connectors.base import Unreachable
from portal.connectors.sealed.simulated import SimulatedKeeper
from portal.sealed import cards, rotating
from portal.sealed.models import OfflineCard, OfflineSet, Rotation
from tests.portal.sealed.vault import Vault
from tests.worlds import actor


def card(vault: Vault, letter: str) -> OfflineCard:
    return OfflineCard.objects.filter(of_set__account=vault.account, letter=letter).latest("of_set__number")


def printed(vault: Vault) -> tuple[offline_card.Card, offline_card.Card]:
    """Both custodians print, and say that they hold their cards."""
    papers = papers_of(vault)
    for who, letter in ((vault.cleo, "A"), (vault.world.dora, "B")):
        cards.hold(by=actor(who), card=card(vault, letter))
    return papers


def papers_of(vault: Vault) -> tuple[offline_card.Card, offline_card.Card]:
    return (
        cards.print_card(by=actor(vault.cleo), card=card(vault, "A")),
        cards.print_card(by=actor(vault.world.dora), card=card(vault, "B")),
    )


def newest(vault: Vault) -> OfflineSet:
    return OfflineSet.objects.filter(account=vault.account).latest("number")


def states(vault: Vault) -> list[tuple[int, str]]:
    return [(each.number, each.state) for each in OfflineSet.objects.filter(account=vault.account)]


def made_due(vault: Vault) -> None:
    Rotation.objects.filter(account=vault.account).update(next_try_at=None)


def broken(*_args: object) -> None:
    raise Unreachable("The target does not answer.")


def changing(vault: Vault) -> tuple[offline_card.Card, offline_card.Card]:
    """A new pair, held by both, of which nobody can tell yet whether the target takes it."""
    cards.renew(by=actor(vault.cleo), account=vault.account)
    rotating.run_due()
    new = printed(vault)
    with pytest.MonkeyPatch.context() as changed:
        changed.setattr(SimulatedKeeper, "tries_login", lambda *_args: False)
        rotating.run_due()
    assert states(vault) == [(2, "coming"), (1, "out")]
    return new
