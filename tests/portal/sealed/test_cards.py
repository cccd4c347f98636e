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
from portal.connectors.base import Secret
from portal.connectors.sealed.simulated import SimulatedKeeper, hashed
from portal.connectors.simulated import activity, logins, state
from portal.eligibility.models import RoleAssignment
from portal.errors import NotAllowed, RefusedByPolicy, StepUpNeeded, WrongState
from portal.findings.causes import left_on_target
from portal.findings.models import Finding
from portal.grants import authorising
from portal.notifications.models import Alert
from portal.offline_card import OtherSet, combine
from portal.policy.rules import Policy
from portal.reviews.offline.declaring import declare_use
from portal.sealed import actions, cards, drilling, queries, rotating
from portal.sealed.models import CARDS, OfflineCard, OfflineSet, Rotation, SealedAccount
from portal.stops.models import Stop
from portal.systems.targets import target
from tests.browsing import browser_of
from tests.factories import broken_log
from tests.portal.sealed.printed import broken, card, changing, made_due, newest, papers_of, printed, states
from tests.portal.sealed.vault import LOGIN, SECRET, Vault, custodian, make_vault
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
    assert set(OfflineSet.objects.values_list("password", flat=True)) == {None}
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


def test_new_cards_make_the_old_ones_worthless_once_both_custodians_hold_them_and_not_before(vault: Vault) -> None:
    old, page = printed(vault), f"/sealed/{vault.account.pk}/"
    with pytest.raises(NotAllowed):
        cards.renew(by=actor(vault.world.mo), account=vault.account)
    cards.renew(by=actor(vault.world.dora), account=vault.account)

    def opens() -> tuple[bool, bool]:
        made_due(vault)
        rotating.run_due()
        shown = browser_of(vault.world.mo).get(page).content.decode()
        return vault.taken_by_target(combine(*old).password), "Set 1 opens the account" in shown

    assert (opens(), states(vault)) == ((True, True), [(2, "coming"), (1, "out")])
    told = Alert.objects.filter(kind="offline.cards_made", facts__older=1).values_list("recipient__name", flat=True)
    assert sorted(told) == ["Cleo", "Dora"]
    new = papers_of(vault)
    assert (opens(), states(vault)) == ((True, True), [(2, "coming"), (1, "out")])
    key, asked = combine(*old).drill_key, drilling.begin(by=actor(vault.cleo), account=vault.account)
    assert drilling.answer(by=actor(vault.cleo), account=vault.account, said=offline_card.answer_to(asked, key)) is True
    cards.hold(by=actor(vault.cleo), card=card(vault, "A"))
    assert opens() == (True, True)
    with pytest.raises(NotAllowed):
        cards.hold(by=actor(vault.cleo), card=card(vault, "B"))
    with pytest.raises(WrongState):
        cards.hold(by=actor(vault.cleo), card=card(vault, "A"))
    with broken_log(), pytest.raises(Exception, match="log"):
        cards.hold(by=actor(vault.world.dora), card=card(vault, "B"))
    assert opens() == (True, True)
    cards.hold(by=actor(vault.world.dora), card=card(vault, "B"))
    assert (opens(), states(vault)) == ((False, False), [(2, "out"), (1, "replaced")])
    told = Alert.objects.filter(kind="offline.taken_over").values_list("recipient__name", flat=True)
    assert sorted(told) == ["Cleo", "Dora", "Mo"]
    assert vault.taken_by_target(combine(*new).password)
    assert not vault.taken_by_target(combine(*old).password)
    with pytest.raises(OtherSet, match="set 1"):
        combine(new[0], old[1])


def test_owner_sees_which_system_has_no_way_in_when_the_portal_dies(vault: Vault) -> None:
    """Also a system without any cards, in the list of systems and on its own page; how many systems there are costs no query more."""
    mo, page = browser_of(vault.world.mo), f"/systems/{vault.world.system.pk}/"

    def seen() -> list[bool]:
        shown = [mo.get(each).content.decode() for each in ("/", "/systems/", page)]
        return [
            "Open risks" in shown[0],
            "Cards not printed: no way in" in shown[1],
            "Offline cards" in shown[1],
            "Cards not printed" in shown[2],
        ]

    assert seen() == [True, True, False, True]
    printed(vault)
    assert seen() == [False, False, True, False]
    OfflineCard.objects.all().delete()
    OfflineSet.objects.all().delete()
    SealedAccount.objects.update(state="retired")
    assert "No way in" in mo.get("/systems/").content.decode()
    assert "One is owed" in mo.get(page).content.decode()
    assert "Open risks" not in mo.get("/").content.decode()


def test_card_that_was_not_printed_well_takes_another_pair_and_the_older_one_stays(vault: Vault) -> None:
    old = printed(vault)
    cards.renew(by=actor(vault.cleo), account=vault.account)
    rotating.run_due()
    with pytest.raises(WrongState, match="being made already"):
        cards.renew(by=actor(vault.cleo), account=vault.account)
    spoilt = cards.print_card(by=actor(vault.cleo), card=card(vault, "A"))
    cards.renew(by=actor(vault.cleo), account=vault.account)
    rotating.run_due()
    assert states(vault) == [(3, "coming"), (2, "replaced"), (1, "out")]
    assert not OfflineSet.objects.filter(state="replaced", password__isnull=False).exists()
    assert vault.taken_by_target(combine(*old).password)
    new = printed(vault)
    rotating.run_due()
    assert (states(vault)[0], vault.taken_by_target(combine(*new).password)) == ((3, "out"), True)
    with pytest.raises(OtherSet):
        combine(spoilt, new[1])


def test_custodians_change_places_while_a_pair_waits_and_both_print_another(vault: Vault) -> None:
    old, eva, mo = printed(vault), custodian(vault.world, "eva"), actor(vault.world.mo)
    cards.renew(by=actor(vault.cleo), account=vault.account)
    rotating.run_due()
    cards.print_card(by=actor(vault.cleo), card=card(vault, "A"))
    for who, second in ((eva, False), (vault.cleo, True), (vault.world.dora, False)):
        actions.hand_over(by=mo, account=vault.account, custodian=who, second=second)
    made_due(vault)
    rotating.run_due()
    assert (states(vault), vault.taken_by_target(combine(*old).password)) == (
        [(3, "coming"), (2, "replaced"), (1, "out")],
        True,
    )
    assert [(each.letter, each.custodian.name) for each in newest(vault).cards.all()] == [("A", "Dora"), ("B", "Cleo")]
    for who, letter in ((vault.world.dora, "A"), (vault.cleo, "B")):
        cards.print_card(by=actor(who), card=card(vault, letter))
        cards.hold(by=actor(who), card=card(vault, letter))
    rotating.run_due()
    assert states(vault) == [(3, "out"), (2, "replaced"), (1, "replaced")]


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


def test_cards_of_an_account_out_of_use_are_refused_by_the_target_which_was_asked(vault: Vault) -> None:
    """Until the target was seen to refuse them that is owed, and shown."""
    password, page, mo = combine(*printed(vault)).password, f"/sealed/{vault.account.pk}/", browser_of(vault.world.mo)
    actions.retire(by=actor(vault.world.pia), account=vault.account)
    with pytest.MonkeyPatch.context() as changed:
        changed.setattr(SimulatedKeeper, "rotate", broken)
        assert rotating.run_due() == 1
    assert vault.taken_by_target(password)
    shown = mo.get(page).content.decode()
    assert ("not shut on the target yet" in shown, "The target does not answer." in shown) == (True, True)
    assert (rotating.run_due(), named(("sealed.shut",))) == (0, [])  # it is tried again later
    SealedAccount.objects.update(shut_try_at=now())
    with pytest.MonkeyPatch.context() as changed:
        changed.setattr(SimulatedKeeper, "seal", lambda *_args: None)
        rotating.run_due()
    assert "The target still lets it log in." in mo.get(page).content.decode()
    activity.log_in(target(vault.world.system), login=LOGIN)
    SealedAccount.objects.update(shut_try_at=now())
    assert (rotating.run_due(), rotating.run_due()) == (1, 0)
    with state.changing(target(vault.world.system)) as connection:
        row = logins.find(connection, LOGIN)
    assert row is not None
    assert (row["can_login"], row["verifier"] == hashed(LOGIN, Secret(password))) == (0, False)
    (shut,) = named(("sealed.shut",))
    assert shut.fields["sessions_ended"] == 1
    assert SimulatedKeeper().sessions(target(vault.world.system), LOGIN) == ()
    assert "does not let the account in" in mo.get(page).content.decode()


def test_account_that_its_custodian_keeps_is_owed_on_the_target_once_it_is_out_of_use() -> None:
    vault = make_vault()
    actions.retire(by=actor(vault.world.pia), account=vault.account)
    assert rotating.run_due() == 0
    assert vault.taken_by_target(SECRET)
    (entry,) = named(("sealed.retired",))
    said = left_on_target(entry, vault.world.system)
    assert said is not None
    assert (said.kind, said.about) == ("standing_access", str(vault.account.pk))
    page = browser_of(vault.world.mo).get(f"/sealed/{vault.account.pk}/").content.decode()
    assert "until its custodian has shut it: Cleo" in page


# --- made so that no crash leaves nothing


def test_pair_that_the_target_may_carry_already_is_finished_before_anything_else(vault: Vault) -> None:
    printed(vault)
    new, eva = changing(vault), custodian(vault.world, "eva")
    with pytest.raises(WrongState, match="once that is through"):
        actions.hand_over(by=actor(vault.world.mo), account=vault.account, custodian=eva)
    with pytest.raises(WrongState, match="being made already"):
        cards.renew(by=actor(vault.cleo), account=vault.account)
    RoleAssignment.objects.filter(person=vault.world.dora, role="custodian").update(to_at=now())
    made_due(vault)
    rotating.run_due()
    assert (states(vault), vault.taken_by_target(combine(*new).password)) == ([(2, "out"), (1, "replaced")], True)
    actions.hand_over(by=actor(vault.world.mo), account=vault.account, custodian=eva)
    assert [(each.name, each.fields["number"]) for each in named(("offline.change_begun", "offline.handed_out"))] == [
        ("offline.change_begun", 1), ("offline.handed_out", 1), ("offline.change_begun", 2), ("offline.handed_out", 2),
    ]  # fmt: skip


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
    for who, letter in ((vault.cleo, "A"), (eva, "B")):
        cards.hold(by=actor(who), card=card(vault, letter))
    rotating.run_due()
    assert vault.taken_by_target(combine(*new).password)
    assert not vault.taken_by_target(combine(*old).password)


def test_no_new_pair_takes_the_place_of_the_old_one_while_who_should_print_it_is_missing(vault: Vault) -> None:
    old = printed(vault)
    RoleAssignment.objects.filter(person=vault.world.dora, role="custodian").update(to_at=now())
    cards.renew(by=actor(vault.cleo), account=vault.account)
    rotating.run_due()
    made_due(vault)
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
    assert (newest(vault).state, card(vault, "B").custodian) == ("coming", eva)


def test_pair_that_cannot_be_read_any_more_is_given_up_for_another(vault: Vault) -> None:
    printed(vault)
    cards.renew(by=actor(vault.cleo), account=vault.account)
    rotating.run_due()
    assert newest(vault).state == "coming"
    OfflineSet.objects.filter(pk=newest(vault).pk).update(password=b"not readable")
    printed(vault)
    rotating.run_due()
    assert states(vault) == [(3, "coming"), (2, "replaced"), (1, "out")]
    assert not OfflineCard.objects.filter(of_set__state="replaced", share__isnull=False).exists()
    assert not OfflineSet.objects.filter(state="replaced", drill_key__isnull=False).exists()
    new = printed(vault)
    rotating.run_due()
    assert vault.taken_by_target(combine(*new).password)


def test_portal_lends_nobody_an_account_that_lies_on_cards(vault: Vault) -> None:
    with pytest.raises(WrongState) as refused:
        authorising.bypass(
            by=actor(vault.world.ann), privilege=vault.world.privilege, asked=vault.world.asked("bypass")
        )
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
    shown = browser_of(world.mo).get(f"/sealed/{vault.account.pk}/").content.decode()
    assert "No card opens this account" in shown
    (confirmed,) = named(("offline.use_confirmed",))
    assert (confirmed.fields["sessions"], "word_of" in confirmed.fields) == ([orphan.fields["session_id"]], False)
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
    assert (newest(vault).state, len(named(("offline.used",)))) == ("out", 1)


def _declare_source(vault: Vault) -> None:
    from portal.systems import actions as systems

    settings = {"log_path": f"{vault.world.state}.log.jsonl", "portal_login": "portal", "heartbeat_ms": 30_000}
    after = {"counting": "dense", "settings": settings}
    change = systems.propose(by=actor(vault.world.pia), kind=systems.SOURCE, after=after, system=vault.world.system)
    systems.approve(by=actor(vault.world.quinn), change=change)
