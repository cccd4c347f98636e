"""Offline cards: made with the password, printed once by each custodian alone, used, declared and replaced."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection

from audit.log.read import named
from portal.access_requests.incidents import goes_on
from portal.access_requests.models import AccessRequest
from portal.clock import now
from portal.connectors.sealed.simulated import SimulatedKeeper
from portal.connectors.simulated import activity
from portal.eligibility.models import RoleAssignment
from portal.errors import NotAllowed, RefusedByPolicy, StepUpNeeded, WrongState
from portal.findings.models import Finding
from portal.grants import opening
from portal.notifications.models import Alert
from portal.offline_card import OtherSet, combine
from portal.policy.rules import Policy
from portal.reviews.offline.declaring import declare_use
from portal.sealed import actions, cards, queries, rotating
from portal.sealed.models import CARDS, OfflineCard, OfflineSet, Rotation
from portal.stops.models import Stop
from portal.systems.targets import target
from tests.browsing import browser_of
from tests.portal.sealed.printed import broken, card, newest, printed
from tests.portal.sealed.vault import LOGIN, Vault, custodian, make_vault
from tests.worlds import actor, make_world, sealing

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _sealing() -> Iterator[None]:
    with sealing():
        yield


@pytest.fixture
def vault() -> Vault:
    return make_vault(CARDS)


def test_two_printed_cards_give_what_the_target_takes_and_the_portal_keeps_neither(vault: Vault) -> None:
    first, second = printed(vault)
    pair = combine(first, second)
    assert vault.taken_by_target(pair.password)
    assert newest(vault).state == "out"
    assert vault.account.secret is None
    assert set(OfflineCard.objects.values_list("share", flat=True)) == {None}
    rotation = Rotation.objects.get(account=vault.account)
    assert (rotation.state, rotation.rotated_by) == ("done", "connector")
    assert held_anywhere(pair.password) == held_anywhere(first.words) == held_anywhere(pair.drill_key.hex()) == []


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


# --- made so that no crash leaves nothing


def test_pair_that_is_being_made_is_printed_by_nobody_and_its_cards_go_to_who_keeps_the_account_then(
    vault: Vault,
) -> None:
    printed(vault)
    cards.renew(by=actor(vault.cleo), account=vault.account)
    with pytest.MonkeyPatch.context() as changed:
        changed.setattr(SimulatedKeeper, "tries_login", lambda *_args: False)
        rotating.run_due()
    assert (newest(vault).number, newest(vault).state) == (2, "coming")
    assert [each.state for each in OfflineSet.objects.filter(account=vault.account)] == ["coming", "out"]
    with pytest.raises(WrongState):
        cards.print_card(by=actor(vault.cleo), card=card(vault, "A"))
    page = browser_of(vault.cleo).get(f"/sealed/{vault.account.pk}/").content.decode()
    assert ("Being made" in page, "Print your card" in page) == (True, False)
    eva = custodian(vault.world, "eva")
    actions.hand_over(by=actor(vault.world.mo), account=vault.account, custodian=eva)
    Rotation.objects.filter(account=vault.account).update(next_try_at=None)
    rotating.run_due()
    assert [(each.letter, each.custodian.name) for each in newest(vault).cards.all()] == [("A", "Eva"), ("B", "Dora")]
    assert newest(vault).number == 2  # two causes, one new pair


def test_other_card_is_given_to_another_custodian_and_both_print_a_new_pair(vault: Vault) -> None:
    old, eva, page = printed(vault), custodian(vault.world, "eva"), f"/sealed/{vault.account.pk}/"
    vault.world.dora.left_at = now()
    vault.world.dora.save()
    for person, error in ((vault.cleo, NotAllowed), (vault.world.zoe, NotAllowed)):
        with pytest.raises(error):
            actions.hand_over(by=actor(person), account=vault.account, custodian=eva, second=True)
    with pytest.raises(RefusedByPolicy, match="two different"):
        actions.hand_over(by=actor(vault.world.mo), account=vault.account, custodian=vault.cleo, second=True)
    mo = browser_of(vault.world.mo)
    assert "Card B: Dora" in mo.get(page).content.decode()
    assert mo.post(f"{page}custodian/", {"custodian": eva.pk}).status_code == 422
    assert mo.post(f"{page}custodian/", {"custodian": eva.pk, "which": "second"}).status_code == 302
    (changed,) = named(("sealed.custodian_changed",))
    assert (changed.fields["before_id"], changed.fields["second"]) == (str(vault.world.dora.pk), 1)
    rotating.run_due()
    assert [(each.letter, each.custodian.name) for each in newest(vault).cards.all()] == [("A", "Cleo"), ("B", "Eva")]
    new = [cards.print_card(by=actor(who), card=card(vault, letter)) for who, letter in ((vault.cleo, "A"), (eva, "B"))]
    assert vault.taken_by_target(combine(*new).password)
    assert not vault.taken_by_target(combine(*old).password)


def test_no_new_pair_takes_the_place_of_the_old_one_while_who_should_print_it_is_missing(vault: Vault) -> None:
    old = printed(vault)
    RoleAssignment.objects.filter(person=vault.world.dora, role="custodian").update(to_at=now())
    cards.renew(by=actor(vault.cleo), account=vault.account)
    rotating.run_due()
    Rotation.objects.filter(account=vault.account).update(next_try_at=None)
    rotating.run_due()
    assert [each.state for each in OfflineSet.objects.filter(account=vault.account)] == ["out"]
    assert vault.taken_by_target(combine(*old).password)
    told = Alert.objects.filter(kind="offline.custodian_missing")
    assert sorted(told.values_list("recipient__name", flat=True)) == ["Cleo", "Dora", "Mo"]  # once
    (missing,) = named(("offline.custodian_missing",))
    assert missing.fields["custodians"] == [str(vault.world.dora.pk)]
    assert (
        "Give their card to another" in browser_of(vault.world.mo).get(f"/sealed/{vault.account.pk}/").content.decode()
    )
    eva = custodian(vault.world, "eva")
    actions.hand_over(by=actor(vault.world.mo), account=vault.account, custodian=eva, second=True)
    rotating.run_due()
    assert (newest(vault).state, card(vault, "B").custodian) == ("made", eva)


def test_pair_that_cannot_be_read_any_more_is_given_up_for_another(vault: Vault) -> None:
    printed(vault)
    cards.renew(by=actor(vault.cleo), account=vault.account)
    with pytest.MonkeyPatch.context() as changed:
        changed.setattr(SimulatedKeeper, "rotate", broken)
        rotating.run_due()
    assert newest(vault).state == "coming"
    OfflineCard.objects.filter(of_set=newest(vault)).update(share=b"not readable")
    Rotation.objects.filter(account=vault.account).update(next_try_at=None)
    rotating.run_due()
    kept = [(each.number, each.state) for each in OfflineSet.objects.filter(account=vault.account)]
    assert kept == [(3, "made"), (2, "replaced"), (1, "replaced")]
    assert not OfflineCard.objects.filter(of_set__state="replaced", share__isnull=False).exists()
    assert not OfflineSet.objects.filter(state="replaced", drill_key__isnull=False).exists()
    assert vault.taken_by_target(combine(*printed(vault)).password)


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
