"""Offline cards: made with the password, printed once by each custodian alone, drilled, used, declared and replaced."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection

from audit.log.read import named
from portal import offline_card
from portal.access_requests.incidents import goes_on
from portal.access_requests.models import AccessRequest
from portal.clock import now
from portal.connectors.simulated import activity
from portal.errors import NotAllowed, RefusedByPolicy, StepUpNeeded, WrongState
from portal.findings.models import Finding
from portal.findings.offline_use import declare_use
from portal.grants import opening
from portal.notifications.models import Alert
from portal.offline_card import OtherSet, combine
from portal.policy.rules import Policy
from portal.sealed import actions, cards, queries, rotating
from portal.sealed.models import CARDS, OfflineCard, OfflineSet, Rotation
from portal.stops.models import Stop
from portal.systems.targets import target
from tests.browsing import browser_of
from tests.portal.sealed.vault import LOGIN, Vault, make_vault
from tests.worlds import actor, make_world, sealing

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _sealing() -> Iterator[None]:
    with sealing():
        yield


@pytest.fixture
def vault() -> Vault:
    return make_vault(CARDS)


def card(vault: Vault, letter: str) -> OfflineCard:
    return OfflineCard.objects.filter(of_set__account=vault.account, letter=letter).latest("of_set__number")


def printed(vault: Vault) -> tuple[offline_card.Card, offline_card.Card]:
    return (
        cards.print_card(by=actor(vault.cleo), card=card(vault, "A")),
        cards.print_card(by=actor(vault.world.dora), card=card(vault, "B")),
    )


def newest(vault: Vault) -> OfflineSet:
    return OfflineSet.objects.filter(account=vault.account).latest("number")


def test_two_printed_cards_give_what_the_target_takes_and_the_portal_keeps_neither(vault: Vault) -> None:
    first, second = printed(vault)
    pair = combine(first, second)
    assert vault.taken_by_target(pair.password)
    assert (newest(vault).state, pair.drill_code) == ("out", newest(vault).drill_code)
    assert vault.account.secret is None
    assert set(OfflineCard.objects.values_list("share", flat=True)) == {None}
    rotation = Rotation.objects.get(account=vault.account)
    assert (rotation.state, rotation.rotated_by) == ("done", "connector")
    assert held_anywhere(pair.password) == held_anywhere(first.words) == []


def held_anywhere(text: str) -> list[str]:
    """Tables of the portal and the log in whose rows the text stands."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        tables = [row[0] for row in cursor.fetchall()]
        found = []
        for table in tables:
            cursor.execute(f'SELECT 1 FROM "{table}" t WHERE t::text LIKE %s LIMIT 1', [f"%{text}%"])
            found += [table] if cursor.fetchone() else []
    return found


def test_each_custodian_prints_their_own_card_once(vault: Vault) -> None:
    mine, theirs = card(vault, "A"), card(vault, "B")
    with pytest.raises(NotAllowed) as refused:
        cards.print_card(by=actor(vault.cleo), card=theirs)
    assert refused.value.kind == "another's card"
    with pytest.raises(NotAllowed):
        cards.print_card(by=actor(vault.world.mo), card=mine)
    with pytest.raises(StepUpNeeded):
        cards.print_card(by=actor(vault.cleo, age_s=3600), card=mine)
    cards.print_card(by=actor(vault.cleo), card=mine)
    with pytest.raises(WrongState, match="printed already"):
        cards.print_card(by=actor(vault.cleo), card=mine)
    assert newest(vault).state == "made"


def test_printing_by_page_gives_a_pdf_that_no_browser_keeps(vault: Vault) -> None:
    address = f"/sealed/cards/{card(vault, 'A').pk}/print/"
    answer = browser_of(vault.cleo).post(address)
    assert (answer.status_code, answer["Content-Type"], answer["Cache-Control"]) == (
        200,
        "application/pdf",
        "no-store, private",
    )
    assert answer.content[:5] == b"%PDF-"
    assert browser_of(vault.cleo).post(address).status_code == 409
    assert browser_of(vault.world.zoe).post(f"/sealed/cards/{card(vault, 'B').pk}/print/").status_code == 403


def test_new_cards_make_the_old_ones_worthless(vault: Vault) -> None:
    old = printed(vault)
    with pytest.raises(NotAllowed):
        cards.renew(by=actor(vault.world.mo), account=vault.account)
    cards.renew(by=actor(vault.world.dora), account=vault.account)
    assert rotating.run_due() == 1
    assert [each.state for each in OfflineSet.objects.filter(account=vault.account)] == ["made", "replaced"]
    new = printed(vault)
    assert vault.taken_by_target(combine(*new).password)
    assert not vault.taken_by_target(combine(*old).password)
    with pytest.raises(OtherSet, match="set 1"):
        combine(new[0], old[1])


def test_account_out_of_use_leaves_no_cards_behind(vault: Vault) -> None:
    cards.print_card(by=actor(vault.cleo), card=card(vault, "A"))
    assert queries.cards_of(vault.world.dora) == [card(vault, "B")]
    actions.retire(by=actor(vault.world.pia), account=vault.account)
    assert (newest(vault).state, card(vault, "B").share) == ("replaced", None)
    assert queries.cards_of(vault.world.dora) == []
    assert [event.name for event in named(("offline.replaced", "sealed.retired"))] == [
        "offline.replaced",
        "sealed.retired",
    ]
    with pytest.raises(WrongState, match="not in use"):
        cards.print_card(by=actor(vault.world.dora), card=card(vault, "B"))
    with pytest.raises(WrongState, match="not in use"):
        cards.renew(by=actor(vault.world.dora), account=vault.account)


def test_cards_are_drilled_each_quarter(vault: Vault) -> None:
    printed(vault)
    made, account = newest(vault), vault.account
    assert cards.remind_due() == 0
    OfflineSet.objects.filter(pk=made.pk).update(made_at=now() - timedelta(days=91))
    assert (cards.remind_due(), cards.remind_due()) == (1, 0)
    told = Alert.objects.filter(kind="offline.drill_due").values_list("recipient__name", flat=True)
    assert sorted(told) == ["Cleo", "Dora", "Mo"]
    assert cards.drill(by=actor(vault.cleo), account=account, code="aaaaaaaa") is False
    assert cards.drill(by=actor(vault.world.dora), account=account, code=made.drill_code) is True
    assert [event.fields["ok"] for event in named(("offline.drilled",))] == [0, 1]
    with pytest.raises(NotAllowed):
        cards.drill(by=actor(vault.world.ann), account=account, code=made.drill_code)
    assert newest(vault).reminded_at is None


def test_portal_lends_nobody_an_account_that_lies_on_cards(vault: Vault) -> None:
    with pytest.raises(WrongState) as refused:
        opening.bypass(by=actor(vault.world.ann), privilege=vault.world.privilege, asked=vault.world.asked("bypass"))
    assert refused.value.kind == "cards"


def test_use_shows_as_an_orphan_is_declared_bound_rotated_and_due_for_review(vault: Vault) -> None:
    pair, world = combine(*printed(vault)), vault.world
    _declare_source(vault)
    began = now() - timedelta(seconds=2)
    session = activity.log_in(target(world.system), login=LOGIN)
    activity.do(target(world.system), session, activity.Act("rescue it", "config_change", "ok", "it"))
    activity.log_out(target(world.system), session)
    call_command("gather", once=True)
    (orphan,) = named(("session.unmatched",))
    assert (orphan.fields["why"], orphan.fields["marker"]) == ("not_held", LOGIN)

    ended = now() - timedelta(milliseconds=1)
    with pytest.raises(RefusedByPolicy, match="began before"):
        declare_use(by=actor(world.ann), account=vault.account, asked=world.asked("bypass"), from_at=ended, to_at=began)
    with pytest.raises(NotAllowed):
        declare_use(by=actor(world.zoe), account=vault.account, asked=world.asked("bypass"), from_at=began, to_at=ended)
    request = declare_use(
        by=actor(world.ann), account=vault.account, asked=world.asked("bypass"), from_at=began, to_at=ended
    )
    (used,) = named(("offline.used",))
    assert (used.case, used.fields["sessions"]) == (str(request.pk), [orphan.fields["session_id"]])
    finding = Finding.objects.get(kind="offline use")
    assert (finding.case, finding.owner) == (str(request.pk), world.mo)
    assert finding.due_at is not None
    assert finding.due_at - finding.raised_at <= timedelta(hours=24)
    page = browser_of(world.ann).get(f"/requests/{request.pk}/").content.decode()
    assert ("Used with the offline cards" in page, "Withdrawn" in page, "Ask again" in page) == (True, False, False)
    assert not AccessRequest.objects.filter(goes_on(), pk=request.pk).exists()
    with pytest.raises(WrongState):
        declare_use(by=actor(world.ben), account=vault.account, asked=world.asked("bypass"), from_at=began, to_at=ended)
    rotating.run_due()
    assert (newest(vault).number, newest(vault).state) == (2, "made")
    assert not vault.taken_by_target(pair.password)


def test_use_is_declared_although_nothing_may_be_opened_any_more() -> None:
    vault = make_vault(CARDS, world=make_world(policy=Policy(modes=("approved",))))
    printed(vault)
    world = vault.world
    Stop.objects.create(system=world.system, reason="An attack", started_by=world.mo, started_at=now())
    ended = now() - timedelta(milliseconds=1)
    began, asked = ended - timedelta(hours=1), world.asked("bypass")
    declare_use(by=actor(world.ann), account=vault.account, asked=asked, from_at=began, to_at=ended)
    assert newest(vault).state == "used"


def _declare_source(vault: Vault) -> None:
    from portal.systems import actions as systems

    settings = {"log_path": f"{vault.world.state}.log.jsonl", "portal_login": "portal", "heartbeat_ms": 30_000}
    after = {"counting": "dense", "settings": settings}
    change = systems.propose(by=actor(vault.world.pia), kind=systems.SOURCE, after=after, system=vault.world.system)
    systems.approve(by=actor(vault.world.quinn), change=change)
