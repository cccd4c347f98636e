"""Keeping many lines at once: the only decision that can be made so. Over lines of mixed risk it is asked a second time."""

import uuid
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from audit.log.append import Actor, action, append, append_many
from portal.campaigns import rules, subjects
from portal.campaigns.models import Campaign, Item
from portal.campaigns.recorded import decided, said_before
from portal.campaigns.states import ITEM_MOVES, UNDECIDED
from portal.campaigns.weighing import PLAIN
from portal.clock import now
from portal.errors import ChangedMeanwhile, RefusedByPolicy
from portal.people.strength import need_fresh

MOST = 500  # lines in one act


class MixedRisk(RefusedByPolicy):
    """The lines are not of one risk, and it was not said a second time that all of them stay."""

    code: ClassVar[str] = "mixed_risk"


@dataclass(frozen=True)
class KeptTogether:
    """What was done: how many lines were kept, and how many had been decided meanwhile."""

    kept: int
    decided_before: int


@action(event=("campaign.bulk_kept", "campaign.item_decided", *subjects.EVENTS), refused="campaign.act_refused")
def keep_many(
    *, by: Actor, campaign: Campaign, items: Collection[UUID], reason: str = "", mixed_confirmed: bool = False
) -> KeptTogether:
    """Keep lines that were put to the person, in one act, each with its own event. What was decided meanwhile is left as it is.

    Raises:
        NotAllowed, StepUpNeeded: one of them is not theirs to decide.
        WrongState: one of them was never on the screen.
        RefusedByPolicy: too many at once, or one needs a reason.
        MixedRisk: they are of more than one risk.
        ChangedMeanwhile: all of them were decided.
    """
    found = Item.objects.select_for_update(of=("self",)).filter(campaign=campaign, pk__in=list(items))
    rows = list(found.order_by("pk"))
    if not rows:
        raise RefusedByPolicy("Tick the lines that stay.", about=campaign, kind="none")
    whole = Campaign.objects.select_related("system__owner").get(pk=campaign.pk)
    for row in rows:
        row.campaign = whole  # read once, not with each line
    out = rules.may_decide_each(by, rows)
    need_fresh(by, about=campaign)
    waiting = [row for row in rows if row.state == UNDECIDED]
    _check(campaign, waiting, reason, mixed_confirmed=mixed_confirmed)
    for each in subjects.SUBJECTS.values():
        each.keep(by, [row for row in waiting if row.subject_kind == each.name])
    _keep(by, campaign, waiting, reason.strip(), out)
    return KeptTogether(len(waiting), len(rows) - len(waiting))


def _check(campaign: Campaign, rows: Sequence[Item], reason: str, *, mixed_confirmed: bool) -> None:
    if not rows:
        raise ChangedMeanwhile("All of these lines were decided already. Nothing was changed.", about=campaign)
    if len(rows) > MOST:
        raise RefusedByPolicy(f"At most {MOST} lines are kept in one act.", about=campaign, kind="too many")
    for row in rows:
        rules.still_undecided(row)
        rules.need_reason(row, reason, kept=True)
    risks = risks_of(rows)
    if len(risks) > 1 and not mixed_confirmed:
        raise MixedRisk("These lines are not of one risk. Say a second time that all of them stay.", about=campaign)


def risks_of(rows: Sequence[Item]) -> Counter[str]:
    """How many lines of each risk."""
    return Counter(row.facts.get("risk", PLAIN) for row in rows)


def _keep(by: Actor, campaign: Campaign, rows: Sequence[Item], reason: str, out: dict[UUID, frozenset[str]]) -> None:
    """One change of all rows, one event of each, and one of the act."""
    bulk, said, risks = uuid.uuid4(), said_before(by, campaign, reason), risks_of(rows)
    kept = Item.objects.filter(pk__in=[row.pk for row in rows], state=UNDECIDED).update(
        state=ITEM_MOVES["keep"].target, reason=reason, decided_by=UUID(by.id), decided_at=now(), bulk=bulk
    )
    if kept != len(rows):  # they are locked
        raise ChangedMeanwhile(rules.DECIDED, about=campaign)
    append_many(
        decided(by, row, "keep", reason, involved=out[row.pk], said=said + number, bulk_id=bulk)
        for number, row in enumerate(rows, 1)
    )
    append(
        "campaign.bulk_kept", by=by, subject=campaign.log_subject, campaign_id=campaign.pk, bulk_id=bulk, count=len(rows),
        risks=sorted(risks), mixed_risk=len(risks) > 1,
    )  # fmt: skip
