"""Drills of offline cards: owed and reminded of, asked anew each time, answered only by both cards."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from audit.log.read import named
from portal import offline_card, parameters
from portal.clock import now
from portal.errors import ChangedMeanwhile, NotAllowed, WrongState
from portal.notifications.models import Alert
from portal.offline_card import combine
from portal.sealed import cards, drilling, queries, rotating
from portal.sealed.models import CARDS, OfflineSet
from tests.browsing import browser_of
from tests.factories import broken_log
from tests.portal.sealed.printed import broken, card, changing, newest, printed, states
from tests.portal.sealed.vault import Vault, make_vault
from tests.worlds import actor, sealing

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _sealing() -> Iterator[None]:
    with sealing():
        yield


@pytest.fixture
def vault() -> Vault:
    return make_vault(CARDS)


def test_custodians_are_reminded_each_quarter_and_once(vault: Vault) -> None:
    printed(vault)
    made = newest(vault)
    assert drilling.remind_due() == 0
    OfflineSet.objects.filter(pk=made.pk).update(made_at=now() - timedelta(days=91))
    due = queries.drills_due(now() - drilling.drilled_every())
    assert (drilling.remind_due(), drilling.remind_due()) == (1, 0)
    told = Alert.objects.filter(kind="offline.drill_due").values_list("recipient__name", flat=True)
    assert sorted(told) == ["Cleo", "Dora", "Mo"]
    with pytest.raises(ChangedMeanwhile):  # who saw it as due as well comes second
        drilling.remind(by=rotating.ROTATION, made=due[0])
    OfflineSet.objects.filter(pk=made.pk).update(reminded_at=None, drilled_at=now())
    with pytest.raises(ChangedMeanwhile):
        drilling.remind(by=rotating.ROTATION, made=due[0])
    assert Alert.objects.filter(kind="offline.drill_due").count() == 3


def test_custodians_and_owner_are_told_each_day_that_no_card_opens_the_account(vault: Vault) -> None:
    made = newest(vault)
    cards.print_card(by=actor(vault.cleo), card=card(vault, "A"))
    assert drilling.remind_due() == 0
    OfflineSet.objects.filter(pk=made.pk).update(made_at=now() - drilling.NO_WAY_IN_REMINDED)
    with broken_log():
        assert drilling.remind_due() == 0
    assert (newest(vault).reminded_at, drilling.remind_due(), drilling.remind_due()) == (None, 1, 0)
    told = Alert.objects.filter(kind="offline.not_printed").values_list("recipient__name", flat=True)
    assert sorted(told) == ["Cleo", "Dora", "Mo"]
    OfflineSet.objects.filter(pk=made.pk).update(reminded_at=now() - drilling.NO_WAY_IN_REMINDED)
    assert (drilling.remind_due(), drilling.remind_due()) == (1, 0)
    cards.print_card(by=actor(vault.world.dora), card=card(vault, "B"))
    for who, letter in ((vault.cleo, "A"), (vault.world.dora, "B")):
        cards.hold(by=actor(who), card=card(vault, letter))
    OfflineSet.objects.filter(pk=made.pk).update(made_at=now() - drilling.drilled_every())
    assert (newest(vault).state, drilling.remind_due()) == ("out", 1)  # of the drill, which is another matter
    with pytest.raises(ChangedMeanwhile):
        drilling.remind_to_print(by=rotating.ROTATION, made=made)


def test_reminder_that_breaks_off_holds_up_no_new_cards(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    printed(vault)
    OfflineSet.objects.update(made_at=now() - timedelta(days=91))
    cards.renew(by=actor(vault.cleo), account=vault.account)
    monkeypatch.setattr(drilling, "_tell", broken)
    assert rotating.run_due() == 1
    assert states(vault) == [(2, "coming"), (1, "out")]


def test_operator_with_stricter_figures_is_reminded_sooner(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    stricter = {"drill_days": [90, 30], "rotation_hours": [24, 8]}
    monkeypatch.setattr(parameters, "values", stricter.__getitem__)
    printed(vault)
    OfflineSet.objects.update(made_at=now() - timedelta(days=31))
    assert drilling.remind_due() == 1
    owed = cards.renew(by=actor(vault.cleo), account=vault.account)
    assert owed.due_at - owed.owed_at == timedelta(hours=8)


def test_drill_asks_something_new_each_time_that_only_both_cards_answer(vault: Vault) -> None:
    key, account = combine(*printed(vault)).drill_key, vault.account
    cleo, dora = actor(vault.cleo), actor(vault.world.dora)
    with pytest.raises(WrongState, match="Begin the drill"):
        drilling.answer(by=cleo, account=account, said="aaaaaaaa")
    for person, error in ((vault.world.ann, NotAllowed), (vault.world.mo, NotAllowed), (vault.world.zoe, NotAllowed)):
        with pytest.raises(error):
            drilling.begin(by=actor(person), account=account)
    first = drilling.begin(by=cleo, account=account)
    remembered = offline_card.answer_to(first, key)
    assert drilling.answer(by=dora, account=account, said=f" {remembered.upper()} ") is True
    second = drilling.begin(by=cleo, account=account)
    assert drilling.answer(by=cleo, account=account, said=remembered) is False
    with pytest.raises(WrongState, match="Begin the drill"):  # the question is used up
        drilling.answer(by=cleo, account=account, said=offline_card.answer_to(second, key))
    third = drilling.begin(by=dora, account=account)
    OfflineSet.objects.filter(account=account).update(asked_at=now() - drilling.ASKED_FOR)
    with pytest.raises(WrongState, match="not any more"):
        drilling.answer(by=dora, account=account, said=offline_card.answer_to(third, key))
    assert len({first, second, third}) == 3
    assert [event.fields["ok"] for event in named(("offline.drilled",))] == [1, 0]
    with broken_log(), pytest.raises(Exception, match="log"):
        drilling.begin(by=cleo, account=account)
    assert newest(vault).question == third


def test_drill_by_its_pages(vault: Vault) -> None:
    key, page = combine(*printed(vault)).drill_key, f"/sealed/{vault.account.pk}/"
    cleo, mo = browser_of(vault.cleo), browser_of(vault.world.mo)
    assert ["Begin a drill" in each.get(page).content.decode() for each in (cleo, mo)] == [True, False]
    assert mo.post(f"{page}drill/begin/").status_code == 403
    assert cleo.post(f"{page}drill/begin/").status_code == 302
    asked = newest(vault).question
    shown = f"{asked[:5]}-{asked[5:]}"
    assert [shown in each.get(page).content.decode() for each in (cleo, mo)] == [True, False]
    empty = cleo.post(f"{page}drill/", {"answer": ""})
    assert (empty.status_code, newest(vault).question) == (422, asked)
    done = cleo.post(f"{page}drill/", {"answer": offline_card.answer_to(asked, key)}, follow=True)
    assert ("Both cards work." in done.content.decode(), "Drilled" in done.content.decode()) == (True, True)


def test_custodians_are_not_reminded_to_drill_cards_that_a_coming_pair_replaces(vault: Vault) -> None:
    printed(vault)
    OfflineSet.objects.update(made_at=now() - timedelta(days=91))
    (made,) = queries.drills_due(now() - drilling.drilled_every())
    OfflineSet.objects.create(account=vault.account, number=2, state="coming", made_at=now(), begun_at=now())
    assert (queries.drills_due(now() - drilling.drilled_every()), drilling.remind_due()) == ([], 0)
    with pytest.raises(ChangedMeanwhile):  # who saw it as due before the other pair was begun
        drilling.remind(by=rotating.ROTATION, made=made)


def test_older_cards_are_not_drilled_while_the_target_may_carry_the_password_of_a_new_pair(vault: Vault) -> None:
    key, cleo, page = combine(*printed(vault)).drill_key, actor(vault.cleo), f"/sealed/{vault.account.pk}/"
    asked = drilling.begin(by=cleo, account=vault.account)
    changing(vault)
    with pytest.raises(WrongState, match="being given"):
        drilling.answer(by=cleo, account=vault.account, said=offline_card.answer_to(asked, key))
    with pytest.raises(WrongState, match="being given"):
        drilling.begin(by=cleo, account=vault.account)
    shown = browser_of(vault.cleo).get(page).content.decode()
    said = ("Note the drill", "Begin a drill", "nobody can tell until it was asked", "opens the account.</strong>")
    assert [each in shown for each in said] == [False, False, True, False]
    assert named(("offline.drilled",)) == []


def test_pair_that_waits_while_an_older_one_opens_the_account_is_reminded_of_more_seldom(vault: Vault) -> None:
    printed(vault)
    cards.renew(by=actor(vault.cleo), account=vault.account)
    rotating.run_due()
    OfflineSet.objects.filter(number=2).update(made_at=now() - drilling.NO_WAY_IN_REMINDED)
    assert drilling.remind_due() == 0
    OfflineSet.objects.filter(number=2).update(made_at=now() - drilling.PRINTED_WITHIN)
    assert (drilling.remind_due(), drilling.remind_due()) == (1, 0)
    assert {each.facts["older"] for each in Alert.objects.filter(kind="offline.not_printed")} == {1}
