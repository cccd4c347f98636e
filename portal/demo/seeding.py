"""One call that fills the demo; idempotent. What was begun and not finished is told, not mended: the log cannot be rewritten."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeVar

from portal.demo import afterwards, attested, judged, on_call, past_uses, putting_right, sealed, staff, target, vendor
from portal.demo.clock import at, demo_clock
from portal.demo.organisation import (
    Organisation,
    add_systems,
    build,
    connector_settings,
    declare_source,
    target_password,
)
from portal.demo.past_uses import walk
from portal.demo.places import PLACES, Place
from portal.demo.stage import Stage
from portal.demo.uses import DRILLS, USES, Use
from portal.grants.models import Grant
from portal.people.models import Person
from portal.systems.heartbeats import stands
from portal.systems.models import System

SYSTEMS_FROM, FIRST_DAY = at("2026-06-25 09:30"), at("2026-06-29 00:30")
QUARTER_OVER = at("2026-10-01 00:30")
SHOP_BEFORE_NOW = timedelta(minutes=10)  # the demo's clock goes on by itself and must not run ahead of the real one
WHAT_FOLLOWS = timedelta(hours=1)  # room for what the clock is read after the quarter
Step = tuple[datetime, Callable[[], object]]
T = TypeVar("T")


class HalfFilled(RuntimeError):
    """Filling the demo was stopped before it was done; the text is a sentence for people."""


def seed(superuser_url: str) -> None:
    """Prepare the target, then build the organisation and its past if they are not there.

    Raises:
        HalfFilled: an earlier call was stopped in the middle.
    """
    target.prepare(superuser_url, target_password())
    shop = System.objects.filter(slug="shop").first()
    if shop is not None and stands(shop):  # of what a demo needs, this is done last
        follow_port(shop)
        return
    if Person.objects.exists():
        raise HalfFilled(
            "Filling the demo was stopped before it was done. Empty it with make demo-reset, then start it again."
        )
    present = datetime.now(tz=UTC) - SHOP_BEFORE_NOW
    with demo_clock(later=told_later(present)) as clock:
        organisation = Organisation(clock)
        past(organisation)
        clock.leave_the_story(present)
        sealed.add_cards(organisation)
        add_systems(organisation, "postgresql")
        on_call.take_turns(organisation, "shop")
        declare_source(organisation, PLACES[0])
        attested.leave_one_open(
            organisation, "shop"
        )  # after the source, which says whose logins on the target are no one's access


def told_later(present: datetime) -> timedelta:
    """By how many whole days the story is told later than it was written: its quarter is over within the day before the present."""
    return timedelta(days=(present - QUARTER_OVER - WHAT_FOLLOWS).days)


def past(organisation: Organisation) -> dict[str, Grant]:
    """The organisation with its simulated systems, and a quarter of its life. Returns the grants by the names of their uses."""
    build(organisation)
    organisation.clock.set(SYSTEMS_FROM)
    add_systems(organisation, "simulated")
    stage = Stage(organisation, FIRST_DAY)
    stage.run("campaigns")  # which says when each list is to be attested
    walked: dict[str, Grant] = {}
    for when, step in sorted(_agenda(stage, walked), key=lambda each: each[0]):
        stage.pass_days(when)
        step()
    stage.pass_days(QUARTER_OVER)
    stage.run("gather")
    stage.settle()
    return walked


def _agenda(stage: Stage, walked: dict[str, Grant]) -> Iterable[Step]:
    """Everything that happens, each with the time at which it begins."""
    yield from _gathering(stage)
    yield from _using(stage, walked)
    yield from _attesting(stage, walked)
    for when in staff.IMPORTED_AT:
        yield when, partial(staff.take_in, stage, when)
    for key, slug, when in staff.LISTED_ANEW:
        yield when, partial(staff.list_anew, stage, key, slug, when)
    for when, tested in sealed.ROTATIONS:
        yield when, partial(sealed.rotate, stage, when, tested)
    yield sealed.LISTED_AT, lambda: sealed.compare(stage)
    for when in putting_right.ANSWERED_AT:
        yield when, partial(putting_right.answer, stage, when)
    yield putting_right.RETEST_ASKED_AT, lambda: putting_right.close_lesson(stage)


def _gathering(stage: Stage) -> Iterable[Step]:
    """The logs of the targets are connected, one system after the other."""
    for place in PLACES:
        if place.connector == "simulated":
            yield place.logged_from, partial(_connect, stage, place)


def _connect(stage: Stage, place: Place) -> None:
    stage.organisation.clock.set(place.logged_from)
    declare_source(stage.organisation, place)
    stage.begin_log(place.slug)


def _using(stage: Stage, walked: dict[str, Grant]) -> Iterable[Step]:
    """Uses and drills, and what was said of each."""
    for use in (*USES, *DRILLS):
        yield use.asked_at, _walking(stage, use, walked)
    yield past_uses.DECLINED[0], lambda: past_uses.decline(stage)
    yield past_uses.GIVEN_UP_AT, lambda: past_uses.give_up(stage, walked["BG-12-aws-first"])
    yield past_uses.FAILED_JUDGED_AT, lambda: past_uses.judge_failed(stage)
    for judgement in judged.JUDGEMENTS:
        yield judgement.at - judged.CLAIMED_BEFORE, _with(judged.judge, stage, judgement, judgement.use, walked)
    yield judged.LATE_AT, lambda: judged.note_late(stage)
    for change in afterwards.CHANGES:
        yield change.at, _with(afterwards.record, stage, change, change.use, walked)
    for decision in afterwards.DECISIONS:
        yield decision.at, _with(afterwards.decide, stage, decision, decision.use, walked)


def _attesting(stage: Stage, walked: dict[str, Grant]) -> Iterable[Step]:
    for which in attested.ROUNDS:
        yield which.listed_at, partial(attested.list_rights, stage, which)
        yield which.shown_at, partial(attested.decide_lines, stage, which)
        yield which.closed_at, partial(attested.close, stage, which)
    yield vendor.LISTED_AT, lambda: vendor.list_rights(stage)
    yield vendor.SHOWN_AT, lambda: vendor.revoke(stage)
    yield vendor.SAID_GONE_AT, lambda: vendor.say_gone(stage, walked["BG-11"])
    yield vendor.LOOKED_AT, lambda: vendor.look(stage)
    yield vendor.GONE_AT, lambda: vendor.take_away(stage)
    yield vendor.CLOSED_AT, lambda: vendor.close(stage)


def _walking(stage: Stage, use: Use, walked: dict[str, Grant]) -> Callable[[], object]:
    return lambda: walked.update({use.key: walk(stage, use)})


def _with(
    act: Callable[[Stage, T, Grant], object], stage: Stage, told: T, use: str, walked: dict[str, Grant]
) -> Callable[[], object]:
    """An act on the grant of a use, which is there by then."""
    return lambda: act(stage, told, walked[use])


def follow_port(shop: System) -> None:
    """The target's port may differ at each start of the demo; nothing else of the system does."""
    wanted = connector_settings(PLACES[0])
    if shop.settings != wanted:
        shop.settings = wanted
        shop.save(update_fields=["settings"])
