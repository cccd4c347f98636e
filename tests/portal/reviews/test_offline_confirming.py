"""One person's word burns no pair of cards: a second person or the target has to say the same, then or later, and of the pair that it was."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from audit.log.append import action, append, process
from audit.log.read import named
from portal.clock import ms, now
from portal.errors import ChangedMeanwhile, NotAllowed, WrongState
from portal.notifications.models import Alert
from portal.offline_card import combine
from portal.reviews import sweep
from portal.reviews.models import Review
from portal.reviews.offline.confirming import confirm_use
from portal.reviews.offline.declaring import declare_use
from portal.reviews.offline.queries import cards_of, declared_in
from portal.sealed import cards, rotating
from portal.sealed.models import CARDS, OfflineSet, Rotation
from tests.browsing import browser_of
from tests.factories import broken_log
from tests.portal.sealed.printed import newest, printed, states
from tests.portal.sealed.vault import LOGIN, Vault, make_vault
from tests.worlds import actor, sealing

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def vault() -> Iterator[Vault]:
    with sealing():
        yield make_vault(CARDS)


def declared(vault: Vault, who: str = "ann", *, from_at: datetime | None = None) -> Review:
    """Until now, from a moment ago where nothing else is said."""
    ended = now()
    began = from_at or ended - timedelta(milliseconds=1)
    request = declare_use(
        by=actor(vault.world.people[who]), account=vault.account, asked=vault.world.asked("bypass"), from_at=began, to_at=ended
    )  # fmt: skip
    return Review.objects.get(request=request)


@action(event="session.unmatched")
def shown_by_target(*, by: object, vault: Vault, session: str, at: datetime) -> None:
    """What gathering writes of a session that nobody held."""
    append(
        "session.unmatched", by=process("gather"), subject=f"system:{vault.world.system.pk}", session_id=session, system_id=vault.world.system.pk,
        source_id="source", source_session="1", marker=LOGIN, login=LOGIN, started_at=ms(at), why="not_held", received_at=ms(now()),
    )  # fmt: skip


def test_one_persons_word_takes_the_last_resort_from_nobody(vault: Vault) -> None:
    old = combine(*printed(vault)).password
    review = declared(vault, "cleo")
    rotating.run_due()
    assert (states(vault), vault.taken_by_target(old)) == ([(1, "out")], True)
    assert (len(named(("offline.used",))), len(named(("offline.use_confirmed",)))) == (1, 0)
    assert not Rotation.objects.exclude(state="done").exists()
    told = Alert.objects.filter(kind="offline.use_declared").select_related("recipient")
    for each in told:
        assert ("confirmed" in each.facts, each.path) == (False, f"/sealed/{vault.account.pk}/")
        if each.recipient:  # led where they may read
            assert browser_of(each.recipient).get(each.path).status_code == 200
    assert sorted(each.recipient.name for each in told if each.recipient) == ["Dora", "Mo", "Pia", "Quinn"]
    page = browser_of(vault.world.dora).get(f"/sealed/{vault.account.pk}/").content.decode()
    assert (
        "Said to be used, by one person" in page,
        "Set 1 opens the account" in page,
        f"/sealed/uses/{review.pk}/confirm/" in page,
    ) == (True, True, True)


@pytest.mark.parametrize("who", ["dora", "mo", "pia"])
def test_second_persons_word_makes_new_cards_at_once_and_says_that_none_opens_it_until_then(
    vault: Vault, who: str
) -> None:
    old = combine(*printed(vault)).password
    review, world = declared(vault, "cleo"), vault.world
    for other, error in (
        (world.cleo, NotAllowed),
        (world.ann, NotAllowed),
        (world.kim, NotAllowed),
        (world.zoe, NotAllowed),
    ):
        with pytest.raises(error):
            confirm_use(by=actor(other), review=review)
    with broken_log(), pytest.raises(Exception, match="log"):
        confirm_use(by=actor(world.people[who]), review=review)
    assert newest(vault).state == "out"
    address = f"/sealed/uses/{review.pk}/confirm/"
    assert browser_of(world.people[who]).post(address).status_code == 302
    assert (newest(vault).state, named(("offline.use_confirmed",))[0].fields["word_of"]) == (
        "used",
        str(world.people[who].pk),
    )
    rotating.run_due()
    assert (states(vault), vault.taken_by_target(old)) == ([(2, "made"), (1, "replaced")], False)
    page = browser_of(world.mo).get(f"/sealed/{vault.account.pk}/").content.decode()
    assert ("No card opens this account" in page, "Said to be used" in page) == (True, False)
    told = Alert.objects.filter(kind="offline.cards_made").exclude(facts__has_key="older")
    assert {each.recipient.name for each in told if each.recipient and each.facts["number"] == 2} == {
        "Cleo",
        "Dora",
        "Mo",
    }
    with pytest.raises(ChangedMeanwhile):
        confirm_use(by=actor(world.people[who]), review=review)


def test_second_user_of_the_same_pair_declares_it_too_and_the_new_pair_stays(vault: Vault) -> None:
    """The second one's word confirms the first; a third one's, when new cards are out already, is of the pair that it was."""
    printed(vault)
    began = now()
    first, second = declared(vault), declared(vault, "ben")
    assert (cards_of(first), states(vault)) == (cards_of(second), [(1, "used")])
    rotating.run_due()
    new = combine(*printed(vault)).password
    third = declared(vault, "dora", from_at=began)
    rotating.run_due()
    assert (cards_of(third).number, states(vault), vault.taken_by_target(new)) == (
        1,
        [(2, "out"), (1, "replaced")],
        True,
    )
    assert Review.objects.count() == 3


def test_pair_that_was_renewed_meanwhile_is_the_one_that_is_said_to_be_used(vault: Vault) -> None:
    printed(vault)
    began = now()
    cards.renew(by=actor(vault.cleo), account=vault.account)
    rotating.run_due()
    printed(vault)
    rotating.run_due()
    shown_by_target(by=process("gather"), vault=vault, session="early", at=began)
    review = declared(vault, from_at=began)
    assert (cards_of(review).number, states(vault)) == (1, [(2, "out"), (1, "replaced")])
    assert named(("offline.used",))[0].fields["sessions"] == ["early"]


def test_use_before_any_pair_was_on_the_target_is_of_none(vault: Vault) -> None:
    world, before = vault.world, OfflineSet.objects.get().made_at - timedelta(days=1)
    asked, since = world.asked("bypass"), before - timedelta(days=1)
    with pytest.raises(WrongState, match="No pair"):
        declare_use(by=actor(world.ann), account=vault.account, asked=asked, from_at=since, to_at=before)


def test_session_that_the_target_shows_later_is_bound_and_confirms_the_use(vault: Vault) -> None:
    printed(vault)
    began = now() - timedelta(milliseconds=1)
    review = declared(vault, from_at=began)
    assert (sweep.run_due(), newest(vault).state) == (0, "out")
    shown_by_target(by=process("gather"), vault=vault, session="late", at=began)
    assert (sweep.run_due(), sweep.run_due(), newest(vault).state) == (1, 0, "used")
    (bound,) = named(("offline.sessions_bound",))
    assert (bound.case, bound.fields["sessions"]) == (review.log_case, ["late"])
    said = declared_in(review)
    assert said is not None
    assert said.sessions == ("late",)
    assert "late" in browser_of(vault.world.kim).get(f"/reviews/{review.pk}/").content.decode()
