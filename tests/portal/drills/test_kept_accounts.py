"""Lines of the sheet about accounts that last: from events alone, and once each by the real actions."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from audit.log.read import LoggedEvent
from portal import offline_card
from portal.drills import sweep
from portal.drills.kept_accounts import Kept, steps
from portal.findings.models import Finding
from portal.grants import actions, authorising, ending, opening
from portal.grants.releasing import release
from portal.notifications.sending import send_due
from portal.sealed import drilling, rotations
from portal.sealed.models import CARDS, CUSTODIAN
from tests.portal.drills.test_drills import ACT, begun, gone_through, judged, long_over
from tests.portal.drills.test_sheet import event
from tests.portal.sealed.printed import printed
from tests.portal.sealed.vault import NEXT, make_vault
from tests.servers import MailSink
from tests.worlds import World, actor, make_world, sealing

HOUR, DAY = 3_600_000, 86_400_000
SHOWN = event("grant.revealed", HOUR, grant_id="g")
ENDED = event("grant.ended", 2 * HOUR, grant_id="g")
OWED = event("sealed.rotation_owed", 2 * HOUR, grant_id="g", rotation_id="r", due_at=26 * HOUR)


def rotated(at: int) -> LoggedEvent:
    return event("sealed.rotated", at, "otto", grant_id="g", rotation_id="r", rotated_at=at)


def trial(at: int, ok: int) -> LoggedEvent:
    return event("sealed.tested", at, "otto", grant_id="g", rotation_id="r", tested_at=at, ok=ok)


def line(case: Sequence[LoggedEvent], kept: Kept) -> tuple[str, str]:
    (step,) = steps(case, kept)
    return step.result, step.told


def test_drill_without_such_an_account_has_no_such_line() -> None:
    assert steps((SHOWN, ENDED), Kept(3 * HOUR)) == []


@pytest.mark.parametrize(
    ("account", "at", "result", "words"),
    [
        ((), 3 * HOUR, "open", "owed once"),
        ((OWED,), 3 * HOUR, "open", "No new secret was given yet. Due 02 Jan 1970 02:00 UTC."),
        ((OWED,), 27 * HOUR, "failed", "No new secret was given yet."),
        ((OWED, rotated(4 * HOUR)), 27 * HOUR, "failed", "was not tried yet"),
        ((OWED, rotated(4 * HOUR), trial(5 * HOUR, 0)), 6 * HOUR, "open", "did not take"),
        ((OWED, rotated(4 * HOUR), trial(5 * HOUR, 0), rotated(6 * HOUR)), 7 * HOUR, "open", "was not tried yet"),
        ((OWED, rotated(4 * HOUR), trial(5 * HOUR, 0), rotated(6 * HOUR), trial(7 * HOUR, 1)), 8 * HOUR, "ok", "4 h after it was checked in, and"),
        ((OWED, rotated(28 * HOUR), trial(29 * HOUR, 1)), 30 * HOUR, "failed", "later than it was due, and that works"),
        ((event("sealed.rotation_owed", 9, grant_id="another", rotation_id="q", due_at=10),), 3 * HOUR, "open", "owed once"),
    ],
)  # fmt: skip
def test_secret_that_was_shown_is_replaced_in_time(
    account: Sequence[LoggedEvent], at: int, result: str, words: str
) -> None:
    found, told = line((SHOWN, ENDED), Kept(at, account))
    assert (found, words in told) == (result, True), told


def test_secret_that_was_not_shown_owes_nothing() -> None:
    assert line((ENDED,), Kept(3 * HOUR, ()))[0] == "none"
    assert line((), Kept(3 * HOUR, ()))[0] == "open"


def of_set(name: str, at: int, number: int = 1, **fields: Any) -> LoggedEvent:
    return event(name, at, set_id=f"set {number}", number=number, **fields)


OUT = of_set("offline.handed_out", 0)
MADE = of_set("offline.cards_made", 0)
WORKS = of_set("offline.drilled", DAY, ok=1)


@pytest.mark.parametrize(
    ("pairs", "at", "result"),
    [
        ([[]], DAY, "none"),
        ([[OUT]], DAY, "open"),
        ([[MADE]], 2 * DAY, "none"),
        ([[MADE]], 4 * DAY, "open"),
        ([[OUT, WORKS, of_set("offline.cards_prepared", 2 * DAY, 2)]], 3 * DAY, "ok"),  # it opens the account until both hold the new one
        ([[OUT, WORKS, of_set("offline.change_begun", 2 * DAY, 2)]], 3 * DAY, "open"),
        ([[OUT, WORKS, of_set("offline.use_confirmed", 2 * DAY)]], 3 * DAY, "none"),
        ([[OUT, of_set("offline.drilled", DAY, ok=1)]], 2 * DAY, "ok"),
        ([[OUT, of_set("offline.drilled", DAY, ok=1)]], 92 * DAY, "open"),
        ([[OUT, of_set("offline.drilled", DAY, ok=1), of_set("offline.drilled", 2 * DAY, ok=0)]], 3 * DAY, "open"),
        ([[OUT, of_set("offline.drilled", DAY, ok=1), of_set("offline.replaced", 2 * DAY)]], 3 * DAY, "none"),
        ([[OUT, of_set("offline.drilled", DAY, ok=1), of_set("offline.replaced", 2 * DAY), of_set("offline.handed_out", 3 * DAY, 2)]], 4 * DAY, "open"),
        ([[OUT, of_set("offline.drilled", DAY, ok=1)], [OUT]], 2 * DAY, "open"),
        ([[OUT, of_set("offline.drilled", DAY, ok=1)], []], 2 * DAY, "ok"),
    ],
)  # fmt: skip
def test_cards_are_tried_within_the_time_between_two_drills(
    pairs: list[list[LoggedEvent]], at: int, result: str
) -> None:
    assert line((), Kept(at, cards=pairs))[0] == result


# --- by the real actions


@pytest.fixture
def world(mail_sink: MailSink, settings: Any) -> Iterator[World]:
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", mail_sink.port, False
    with sealing():
        yield make_world()


@pytest.mark.django_db(transaction=True)
def test_drill_of_a_sealed_account_is_judged_once_its_new_secret_works(world: World) -> None:
    vault = make_vault(CUSTODIAN, world=world)
    drill = begun(vault.world)
    send_due()
    grant = authorising.approve(by=actor(world.ines), request=drill.request)
    assert grant is not None
    opening.run(grant.pk)
    release(by=actor(world.ines), grant=grant)
    actions.reveal(by=actor(world.ann), grant=grant)
    actions.give_back(by=actor(world.ann), grant=grant)
    ending.run(grant.pk)
    long_over(drill)
    assert sweep.run_due() == 0  # a custodian has a day
    vault.set_on_target(NEXT)
    rotations.lay_in(by=actor(vault.cleo), account=vault.account, secret=NEXT)
    rotations.note_test(by=actor(vault.cleo), account=vault.account, taken=True)
    found = {step["name"]: step["result"] for step in judged(drill).steps}
    assert (found["rotated"], drill.worked) == ("ok", True)


@pytest.mark.django_db(transaction=True)
def test_cards_that_nobody_has_tried_fail_the_drill_and_open_a_finding(world: World) -> None:
    vault = make_vault(CARDS, world=world)
    key = offline_card.combine(*printed(vault)).drill_key
    drill = begun(world)
    gone_through(world, drill)
    long_over(drill)
    assert judged(drill).worked is False
    assert Finding.objects.get(about=str(drill.pk)).title == "A drill of Billing failed: Offline cards tried"
    asked = drilling.begin(by=actor(vault.cleo), account=vault.account)
    drilling.answer(by=actor(vault.cleo), account=vault.account, said=offline_card.answer_to(asked, key))
    again = begun(world, repeats=drill, act=f"{ACT} Again.")
    gone_through(world, again)
    assert judged(again).worked is True
