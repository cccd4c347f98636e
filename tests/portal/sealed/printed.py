"""Offline cards in tests: printed by both custodians."""

from portal import offline_card
from portal.connectors.base import Unreachable
from portal.sealed import cards
from portal.sealed.models import OfflineCard, OfflineSet
from tests.portal.sealed.vault import Vault
from tests.worlds import actor


def card(vault: Vault, letter: str) -> OfflineCard:
    return OfflineCard.objects.filter(of_set__account=vault.account, letter=letter).latest("of_set__number")


def printed(vault: Vault) -> tuple[offline_card.Card, offline_card.Card]:
    return (
        cards.print_card(by=actor(vault.cleo), card=card(vault, "A")),
        cards.print_card(by=actor(vault.world.dora), card=card(vault, "B")),
    )


def newest(vault: Vault) -> OfflineSet:
    return OfflineSet.objects.filter(account=vault.account).latest("number")


def broken(*_args: object) -> None:
    raise Unreachable("The target does not answer.")
