"""What a stop cannot end: a secret that somebody was shown works until its custodian has set another, and is never told as ended."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from portal.clock import now
from portal.grants import actions, ending, stopping, sweep
from portal.grants.models import Grant
from portal.grants.releasing import release
from portal.grants.stopping import Standing, standing
from portal.notifications.models import Alert
from portal.sealed import actions as accounts
from portal.sealed import rotations
from portal.sealed.models import Rotation
from portal.stops.models import Stop
from tests.browsing import browser_of
from tests.portal.sealed.vault import NEXT, Vault, make_vault
from tests.portal.stops.test_stopping import WHY, stop_of
from tests.worlds import actor, opened, sealing

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def vault() -> Iterator[Vault]:
    with sealing():
        yield make_vault()


def shown(vault: Vault) -> Grant:
    grant = opened(vault.world)
    release(by=actor(vault.world.ines), grant=grant)
    actions.reveal(by=actor(vault.world.ann), grant=grant)
    return grant


def told(kind: str) -> list[str]:
    rows = Alert.objects.filter(kind=kind).select_related("recipient")
    return sorted(each.recipient.name if each.recipient else "list" for each in rows)


def test_secret_that_its_holder_knows_is_owed_a_new_one_at_once_and_not_told_as_ended(vault: Vault) -> None:
    grant = shown(vault)
    stop = stop_of(vault.world)
    owed = Rotation.objects.get(grant_id=grant.pk)
    assert (owed.state, owed.cause, owed.due_at - owed.owed_at) == ("owed", "stopped", timedelta(hours=1))
    assert (told("sealed.known_at_stop"), told("sealed.rotation_owed")) == (["Cleo", "Mo", "list"], ["Cleo"])
    sweep.end_soon(stopping.closing_of(stop), 30)
    assert Grant.objects.get(pk=grant.pk).state == "ended"
    assert Rotation.objects.filter(grant_id=grant.pk).count() == 1  # checking in owed no second one
    assert standing(stop) == Standing(read_back=0, live=0, not_opened=0, waiting=0, known=1, secrets=1)
    rotations.lay_in(by=actor(vault.cleo), account=vault.account, secret=NEXT)
    assert standing(stop) == Standing(read_back=1, live=0, not_opened=0, waiting=0)


def test_page_of_the_stop_names_it_to_who_looks_after_it_and_counts_it_for_the_others(vault: Vault) -> None:
    grant = shown(vault)
    stop = stop_of(vault.world)
    sweep.end_soon(stopping.closing_of(stop), 30)

    def page(who: str) -> str:
        return browser_of(vault.world.people[who]).get(f"/stops/{stop.pk}/").content.decode()

    said = (
        "Still valid until rotated",
        "1 sealed account was shown to somebody",
        "Ended, and the targets confirmed it",
    )
    named = ("Shown to Ann. Cleo sets a new one", "The vault&#x27;s administrator on Billing")
    for who, sees in (("mo", True), ("cleo", True), ("ann", False)):
        assert [each in page(who) for each in said] == [True, True, False], who
        assert [each in page(who) for each in named] == [sees, sees], who
    assert browser_of(vault.world.zoe).get(f"/stops/{stop.pk}/").status_code == 404
    rotations.lay_in(by=actor(vault.cleo), account=vault.account, secret=NEXT)
    assert ["Still valid" in page("mo"), "Replaced" in page("mo")] == [False, True]

    def asked() -> int:
        browser = browser_of(vault.world.mo)
        browser.get(f"/stops/{stop.pk}/")
        with CaptureQueriesContext(connection) as queries:
            browser.get(f"/stops/{stop.pk}/")
        return len(queries)

    one = asked()
    for _ in range(2):
        Rotation.objects.create(account=vault.account, cause="used", grant_id=grant.pk, owed_at=now(), due_at=now())
    assert asked() == one


def test_secret_of_an_earlier_use_that_was_not_replaced_yet_is_among_them(vault: Vault) -> None:
    grant = shown(vault)
    actions.give_back(by=actor(vault.world.ann), grant=grant)
    ending.run(grant.pk)
    stop = stop_of(vault.world)
    assert Rotation.objects.get(grant_id=grant.pk).cause == "used"
    assert told("sealed.known_at_stop") == ["Cleo", "Mo", "list"]
    assert standing(stop) == Standing(read_back=0, live=0, not_opened=0, waiting=0, secrets=1)


def test_secret_of_an_account_that_went_out_of_use_is_no_duty_of_anybody_and_stands_apart(vault: Vault) -> None:
    shown(vault)
    stop = stop_of(vault.world)
    sweep.end_soon(stopping.closing_of(stop), 30)
    accounts.retire(by=actor(vault.world.pia), account=vault.account)
    assert standing(stop) == Standing(read_back=1, live=0, not_opened=0, waiting=0)
    page = browser_of(vault.world.mo).get(f"/stops/{stop.pk}/").content.decode()
    assert ["Still valid" in page, "Account out of use" in page, "Never replaced" in page] == [False, True, True]


def test_secret_of_what_slipped_past_a_stop_is_owed_a_new_one_too(vault: Vault) -> None:
    grant = shown(vault)
    Stop.objects.create(system=vault.world.system, reason=WHY, started_by=vault.world.mo, started_at=now())
    sweep.run_due()
    assert Rotation.objects.get(grant_id=grant.pk).cause == "stopped"


def test_stop_asks_for_no_new_secret_where_nobody_was_shown_one(vault: Vault) -> None:
    opened(vault.world)
    stop = stop_of(vault.world)
    sweep.end_soon(stopping.closing_of(stop), 30)
    assert (told("sealed.known_at_stop"), standing(stop).read_back, standing(stop).secrets) == ([], 1, 0)
