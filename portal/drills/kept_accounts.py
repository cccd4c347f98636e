"""Two lines of the drill sheet about accounts that last: the secret that was shown was replaced, and the offline cards of the system were tried.

Pure but for the events that they are given. A system, or a drill, without such an account has no such line.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from audit.log.read import LoggedEvent
from portal.clock import moment
from portal.drills.lines import Step, seconds
from portal.parameters import values
from portal.sealed.drilling import PRINTED_WITHIN

ROTATION_NAMES = ("sealed.rotation_owed", "sealed.rotated", "sealed.tested")
STEPS_TO_PRINTED = ("offline.change_begun", "offline.cards_made", "offline.handed_out")
CARD_NAMES = (*STEPS_TO_PRINTED, "offline.drilled", "offline.use_confirmed", "offline.replaced")
MS = timedelta(milliseconds=1)
DAY_MS = 86_400_000


@dataclass(frozen=True)
class Kept:
    """What the log says of them, and when it was read. ``account``: of the account that the drill opens; ``cards``: of each that lies on cards."""

    at: int
    account: Sequence[LoggedEvent] | None = None
    cards: Sequence[Sequence[LoggedEvent]] = ()


def steps(case: Sequence[LoggedEvent], kept: Kept) -> list[Step]:
    """Those that there are."""
    found = [] if kept.account is None else [_rotated(case, kept.account, kept.at)]
    return [*found, *([_tried(kept)] if kept.cards else [])]


def _rotated(case: Sequence[LoggedEvent], account: Sequence[LoggedEvent], at: int) -> Step:
    """Open until it is due: a custodian has a day, so the drill is judged later than others."""
    shown = [each for each in case if each.name == "grant.revealed"]
    if not shown:
        over = any(each.name in ("grant.ended", "grant.failed") for each in case)
        said = "The secret was not shown, so no new one is owed." if over else "The secret was not shown yet."
        return Step("rotated", "none" if over else "open", said)
    grant = shown[-1].fields["grant_id"]
    mine = [each for each in account if each.fields.get("grant_id") == grant]
    owed = _last(mine, "sealed.rotation_owed")
    if owed is None:
        return Step("rotated", "open", "A new secret is owed once the account is checked in.")
    due, new = int(owed.fields["due_at"]), _last(mine, "sealed.rotated")
    tested = _last(mine, "sealed.tested")
    if new is not None and tested is not None and tested.fields["ok"] and tested.at >= new.at:
        took = int(new.fields["rotated_at"]) - owed.at
        in_time = int(new.fields["rotated_at"]) <= due
        said = f"It got a new secret {seconds(took)} after it was checked in{'' if in_time else ', later than it was due'}, and that works."
        return Step("rotated", "ok" if in_time else "failed", said, int(tested.fields["tested_at"]))
    said = (
        "No new secret was given yet." if new is None
        else "The target did not take the new secret." if tested is not None and tested.at >= new.at
        else "The new secret was not tried yet."
    )  # fmt: skip
    return Step("rotated", "failed" if at > due else "open", f"{said} Due {moment(due):%d %b %Y %H:%M} UTC.")


def _tried(kept: Kept) -> Step:
    """As good as the worst of them; pairs that nobody has printed cannot be tried."""
    found = [_tried_of(each, kept.at) for each in kept.cards]
    order = ("failed", "open", "ok", "none")
    return min(found, key=lambda step: order.index(step.result))


def _tried_of(events: Sequence[LoggedEvent], at: int) -> Step:
    out: LoggedEvent | None = None
    tried: LoggedEvent | None = None
    for event in events:
        if event.name == "offline.handed_out":
            out, tried = event, None
        elif out is not None and event.fields["set_id"] == out.fields["set_id"]:
            tried = event if event.name == "offline.drilled" else tried
            out = out if event.name == "offline.drilled" else None
    if (unfinished := _unfinished(events, at)) is not None:
        return unfinished
    if out is None:
        return Step("cards", "none", "No pair of its offline cards is with its custodians.")
    days = min(values("drill_days"))
    if tried is None or at - tried.at > days * DAY_MS:
        return Step("cards", "open", f"Nobody has tried its offline cards in the last {days} days.")
    if not tried.fields["ok"]:
        return Step("cards", "open", "The offline cards did not give the right answer.", tried.at)
    return Step("cards", "ok", f"Both offline cards of set {out.fields['number']} work.", tried.at)


def _unfinished(events: Sequence[LoggedEvent], at: int) -> Step | None:
    """The newest pair is not through: the older one may be worthless already. Made just now, it is given some days to be printed.

    While it waits to be printed before the target is given its password, the older one opens the account, and is what is tried.
    """
    newest = next((each for each in reversed(events) if each.name in STEPS_TO_PRINTED), None)
    if newest is None or newest.name == "offline.handed_out":
        return None
    if newest.name == "offline.change_begun":
        return Step(
            "cards", "open", "A new pair of its offline cards is being made; the older one may not work any more."
        )
    if at - newest.at <= PRINTED_WITHIN // MS:
        return None
    return Step("cards", "open", "Its offline cards were made, and its custodians have not printed both.")


def _last(events: Sequence[LoggedEvent], name: str) -> LoggedEvent | None:
    return next((each for each in reversed(events) if each.name == name), None)
