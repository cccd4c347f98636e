"""One call that fills the demo; idempotent. What was begun and not finished is told, not mended: the log cannot be rewritten."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from portal.demo import judged, sealed, target
from portal.demo.clock import demo_clock
from portal.demo.organisation import (
    PLACES,
    Organisation,
    add_systems,
    build,
    connector_settings,
    declare_sources,
    target_password,
)
from portal.demo.past_uses import USES, Use, walk
from portal.demo.stage import Stage, at
from portal.grants.models import Grant
from portal.people.models import Person
from portal.systems.heartbeats import stands
from portal.systems.models import System

SOURCES_FROM, FIRST_DAY = at("2026-06-29 00:00"), at("2026-06-29 00:30")
QUARTER_OVER = at("2026-10-01 00:30")
SHOP_BEFORE_NOW = timedelta(minutes=10)  # the demo's clock goes on by itself and must not run ahead of the real one
WHAT_FOLLOWS = timedelta(hours=1)  # room for what the clock is read after the quarter
Step = tuple[datetime, Callable[[], object]]


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
        declare_sources(organisation, "postgresql")
        judged.leave_one_open(
            organisation, "shop"
        )  # after the source, which says whose logins on the target are no one's access


def told_later(present: datetime) -> timedelta:
    """By how many whole days the story is told later than it was written: its quarter is over within the day before the present."""
    return timedelta(days=(present - QUARTER_OVER - WHAT_FOLLOWS).days)


def past(organisation: Organisation) -> dict[str, Grant]:
    """The organisation with its simulated systems, and a quarter of its life. Returns the grants by the names of their uses."""
    build(organisation)
    add_systems(organisation, "simulated")
    stage = Stage(organisation, FIRST_DAY)
    stage.run("campaigns")  # which says when each list is to be attested
    organisation.clock.set(SOURCES_FROM)
    declare_sources(organisation, "simulated")
    stage.mark_all()
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
    for use in USES:
        yield use.asked_at, _walking(stage, use, walked)
    for judgement in judged.JUDGEMENTS:
        yield judgement.at - judged.CLAIMED_BEFORE, _judging(stage, judgement, walked)
        if judgement.said:
            yield judged.ANSWERED_AT, _answering(stage, judgement, walked)
    yield sealed.ROTATED_AT, lambda: sealed.rotate(stage)
    yield sealed.LISTED_AT, lambda: sealed.compare(stage)
    yield judged.LISTED_AT, lambda: judged.list_rights(stage)
    yield judged.SHOWN_AT, lambda: judged.decide_lines(stage)
    yield judged.CLOSED_AT, lambda: judged.close_attestations(stage)


def _walking(stage: Stage, use: Use, walked: dict[str, Grant]) -> Callable[[], object]:
    return lambda: walked.update({use.key: walk(stage, use)})


def _judging(stage: Stage, judgement: judged.Judgement, walked: dict[str, Grant]) -> Callable[[], object]:
    return lambda: judged.judge(stage, judgement, walked[judgement.use])


def _answering(stage: Stage, judgement: judged.Judgement, walked: dict[str, Grant]) -> Callable[[], object]:
    return lambda: judged.answer_findings(stage, walked[judgement.use])


def follow_port(shop: System) -> None:
    """The target's port may differ at each start of the demo; nothing else of the system does."""
    wanted = connector_settings(PLACES[0])
    if shop.settings != wanted:
        shop.settings = wanted
        shop.save(update_fields=["settings"])
