"""Sealed accounts: put under seal, handed over, given a new secret, printed on cards, drilled, used."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from audit.log.append import process
from portal.clock import now
from portal.offline_card import answer_to, combine
from portal.reviews import actions as reviews
from portal.reviews.models import Review
from portal.reviews.offline import confirming
from portal.reviews.offline.declaring import declare_use
from portal.sealed import actions, cards, drilling, making, rotating, rotations, shutting
from portal.sealed.models import CARDS, OfflineCard, OfflineSet, Rotation, SealedAccount
from portal.systems.models import Privilege
from tests.faults.races.racing import Raced, Said, does, race
from tests.portal.sealed.printed import card, newest, printed
from tests.portal.sealed.vault import LOGIN, Vault, custodian, make_vault, proposed
from tests.worlds import World, actor

LAID_IN = "a secret that is long enough"


def _proposed(world: World) -> SealedAccount:
    cleo, _ = custodian(world, "cleo"), custodian(world, "dora")
    return proposed(world, cleo)


@race(actions.propose)
def an_account_is_proposed(world: World) -> Raced:
    cleo = custodian(world, "cleo")
    said: dict[str, Any] = {
        "system": world.system, "name": "Vault", "account": LOGIN, "location": "There.", "kept_by": "custodian", "custodian": cleo,
    }  # fmt: skip
    return Raced(
        [does(actions.propose, by=actor(who), **said) for who in (world.pia, world.quinn)],
        SealedAccount.objects.count,
        {("propose",): 1},
    )


@race(actions.approve, actions.decline)
def an_account_waits(world: World) -> Raced:
    row = _proposed(world)
    wrote = ["privilege.added", "sealed.registered", "sealed.rotation_owed"]
    return Raced(
        [
            does(actions.approve, by=actor(world.quinn), account=row, wrote=wrote),
            does(actions.decline, by=actor(world.pia), account=row),
            does(actions.decline, by=actor(world.mo), account=row),
        ],
        lambda: (SealedAccount.objects.get().state, Privilege.objects.count(), Rotation.objects.count()),
        {("approve",): ("sealed", 2, 1), ("decline",): ("declined", 1, 0)},
    )


@race(actions.hand_over, actions.retire)
def an_account_is_handed_over_or_retired(world: World) -> Raced:
    """Whoever was named may give way to another, until the account is out of use; who waits sees who was named meanwhile."""
    vault = make_vault(world=world)
    emil = custodian(world, "emil")
    wrote = ["sealed.custodian_changed", "sealed.rotation_owed"]
    gives = [
        does(actions.hand_over, by=actor(world.pia), account=vault.account, custodian=to, wrote=wrote)
        for to in (world.dora, emil)
    ]
    return Raced(
        [*gives, does(actions.retire, by=actor(world.mo), account=vault.account, wrote=["sealed.retired"])],
        lambda: SealedAccount.objects.get().state,
        {("retire",): "retired"},
        free=frozenset({"hand_over"}),
    )


@race(rotations.lay_in, rotations.note_test)
def a_secret_is_laid_in(world: World) -> Raced:
    vault = make_vault(world=world)
    return Raced(
        [
            does(rotations.lay_in, by=actor(vault.cleo), account=vault.account, secret=LAID_IN),
            does(rotations.note_test, by=actor(vault.cleo), account=vault.account, taken=True),
        ],
        lambda: (vault.has_secret(LAID_IN), sorted(Rotation.objects.values_list("state", flat=True))),
        {("lay_in",): (True, ["done", "rotated"]), ("lay_in", "note_test"): (True, ["done", "done"])},
    )


def _on_cards(world: World) -> Vault:
    return make_vault(CARDS, world=world)


@race(cards.print_card)
def a_card_is_printed(world: World) -> Raced:
    row = card(_on_cards(world), "A")
    return Raced(
        [does(cards.print_card, by=actor(world.cleo), card=row)],
        lambda: OfflineCard.objects.filter(share__isnull=True, printed_at__isnull=False).count(),
        {("print_card",): 1},
    )


@race(cards.hold, cards.renew)
def the_second_card_is_in_hand_or_lost(world: World) -> Raced:
    vault = _on_cards(world)
    for who, letter in ((world.cleo, "A"), (world.dora, "B")):
        cards.print_card(by=actor(who), card=card(vault, letter))
    cards.hold(by=actor(world.cleo), card=card(vault, "A"))
    return Raced(
        [
            does(cards.hold, by=actor(world.dora), card=card(vault, "B"), wrote=["offline.handed_out", "offline.card_held"]),
            does(cards.renew, by=actor(world.cleo), account=vault.account, wrote=["sealed.rotation_owed"]),
        ],
        lambda: (newest(vault).state, Rotation.objects.filter(state="owed").count()),
        {("hold", "renew"): ("out", 1)},
    )  # fmt: skip


@race(drilling.answer)
def a_drill_is_answered(world: World) -> Raced:
    vault = _on_cards(world)
    papers = printed(vault)
    asked = drilling.begin(by=actor(vault.cleo), account=vault.account)
    said = answer_to(asked, combine(*papers).drill_key)
    return Raced(
        [does(drilling.answer, by=actor(who), account=vault.account, said=said) for who in (world.cleo, world.dora)],
        lambda: (newest(vault).drilled_at is not None, newest(vault).question),
        {("answer",): (True, "")},
    )


@race(drilling.begin)
def a_drill_is_begun(world: World) -> Raced:
    vault = _on_cards(world)
    printed(vault)
    return Raced(
        [does(drilling.begin, by=actor(who), account=vault.account) for who in (world.cleo, world.dora)],
        lambda: newest(vault).question != "",
        {(): True},
        free=frozenset({"begin"}),
    )


@race(drilling.remind)
def two_sweeps_remind_of_a_drill(world: World) -> Raced:
    vault = _on_cards(world)
    printed(vault)
    OfflineSet.objects.update(made_at=now() - timedelta(days=100))
    return Raced(
        [does(drilling.remind, by=process("cards"), made=newest(vault))],
        lambda: newest(vault).reminded_at is not None,
        {("remind",): True},
    )


@race(drilling.remind_to_print)
def two_sweeps_remind_to_print(world: World) -> Raced:
    vault = _on_cards(world)
    return Raced(
        [does(drilling.remind_to_print, by=process("cards"), made=newest(vault))],
        lambda: newest(vault).reminded_at is not None,
        {("remind_to_print",): True},
    )


@race(making.note_begun, cards.renew)
def a_pair_takes_over_or_is_given_up(world: World) -> Raced:
    vault = _on_cards(world)
    printed(vault)
    cards.renew(by=actor(vault.cleo), account=vault.account)
    rotating.run_due()
    printed(vault)
    return Raced(
        [
            does(making.note_begun, by=process("cards"), made=newest(vault)),
            does(cards.renew, by=actor(world.dora), account=vault.account, wrote=["offline.replaced"]),
        ],
        lambda: newest(vault).state,
        {("note_begun",): "coming", ("renew",): "replaced"},
    )


DECLARED = ("request.made", "offline.used", "review.due", "finding.raised")


@race(declare_use)
def a_use_is_declared(world: World) -> Raced:
    vault = _on_cards(world)
    printed(vault)
    at = now()
    world = replace(world, privilege=vault.world.privilege)
    said: Said = {
        "account": vault.account, "asked": world.asked("bypass"), "from_at": at - timedelta(milliseconds=1), "to_at": at,
    }  # fmt: skip
    return Raced(
        [does(declare_use, by=actor(world.ann), **said, wrote=DECLARED)],
        lambda: (Review.objects.count(), newest(vault).state),
        {("declare_use",): (1, "out")},
    )


def _declared(vault: Vault) -> Review:
    printed(vault)
    at = now()
    request = declare_use(
        by=actor(vault.world.ann), account=vault.account, asked=vault.world.asked("bypass"), from_at=at - timedelta(milliseconds=1), to_at=at,
    )  # fmt: skip
    return Review.objects.get(request=request)


@race(confirming.confirm_use)
def a_use_is_confirmed(world: World) -> Raced:
    vault = _on_cards(world)
    review = _declared(vault)
    wrote = ["offline.use_confirmed", "sealed.rotation_owed"]
    return Raced(
        [
            does(confirming.confirm_use, by=actor(who), review=review, wrote=wrote)
            for who in (world.cleo, world.dora, world.mo)
        ],
        lambda: (newest(vault).state, Rotation.objects.filter(state="owed").count()),
        {("confirm_use",): ("used", 1)},
    )


@race(confirming.bind)
def sessions_are_bound(world: World) -> Raced:
    review = _declared(_on_cards(world))
    wrote = ["offline.sessions_bound", "offline.use_confirmed", "sealed.rotation_owed"]
    return Raced(
        [does(confirming.bind, by=process("offline"), review=review, sessions=["s-1"], wrote=wrote)],
        lambda: Rotation.objects.filter(state="owed").count(),
        {("bind",): 1},
    )


@race(reviews.claim)
def a_use_of_cards_waits_for_a_reviewer(world: World) -> Raced:
    review = _declared(_on_cards(world))
    return Raced(
        [
            does(reviews.claim, by=actor(who), review=review, called=who.name, wrote=["review.claimed"])
            for who in (world.kim, world.lea)
        ],
        lambda: Review.objects.values_list("state", "reviewer__name").get(),
        {("Kim",): ("claimed", "Kim"), ("Lea",): ("claimed", "Lea")},
    )


@race(actions.retire, actions.withdraw)
def an_account_goes_out_of_use(world: World) -> Raced:
    account = make_vault(world=world).account
    return Raced(
        [
            does(actions.retire, by=actor(world.mo), account=account, wrote=["sealed.retired"]),
            does(actions.withdraw, by=actor(world.kim), account=account, wrote=["sealed.retired"]),
        ],
        lambda: SealedAccount.objects.get().state,
        {("retire",): "retired", ("withdraw",): "retired"},
    )


@race(shutting.note_shut)
def two_sweeps_shut_an_account(world: World) -> Raced:
    account = actions.retire(by=actor(world.mo), account=make_vault(world=world).account)
    return Raced(
        [does(shutting.note_shut, by=process("sealed"), account_id=account.pk, sessions_ended=0)],
        lambda: SealedAccount.objects.get().shut_at is not None,
        {("note_shut",): True},
    )
