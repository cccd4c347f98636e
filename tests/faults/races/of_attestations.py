"""Attestations, line by line, and findings."""

from datetime import timedelta
from typing import Any

from audit.log.append import process
from portal.campaigns import actions as campaigns
from portal.campaigns import beginning, bulk, duties, reassigning, removal
from portal.campaigns.models import Campaign, Duty, Item
from portal.clock import now
from portal.eligibility.models import Eligibility, RoleAssignment
from portal.findings import actions as findings
from portal.findings import sweep as findings_sweep
from portal.findings.models import Finding
from portal.reviews import actions
from tests.faults.races.racing import Raced, Said, does, race
from tests.portal.campaigns.attested import begun, line, ready, seen
from tests.portal.reviews.test_reviews import worse
from tests.portal.reviews.used import FINE, taken
from tests.worlds import World, actor

SWEEP = process("reviews")
GRAVE = worse(Q01=("no", "It could wait."), Q04=("no", "Twice as long as needed."))


DECIDES = {"keep": "eligibility.reconfirmed", "modify": "eligibility.shortened", "revoke": "eligibility.revoked"}


@race(campaigns.keep, campaigns.modify, campaigns.revoke, campaigns.transfer, bulk.keep_many)
def a_line_waits(world: World) -> Raced:
    item, by, soon = ready(world), actor(world.mo), now() + timedelta(days=5)
    said: dict[str, dict[str, Any]] = {"keep": {}, "modify": {"to_at": soon}, "revoke": {}}
    decides = [
        does(
            getattr(campaigns, name),
            by=by,
            item=item,
            reason="Left.",
            **more,
            wrote=["campaign.item_decided", DECIDES[name]],
        )
        for name, more in said.items()
    ]
    together: Said = {"campaign": item.campaign, "items": [item.pk], "reason": "Needed."}
    return Raced(
        [
            *decides, does(campaigns.transfer, by=by, item=item, to=world.kim),
            does(bulk.keep_many, by=by, **together, wrote=["campaign.bulk_kept", "campaign.item_decided", "eligibility.reconfirmed"]),
        ],
        lambda: (Item.objects.get(pk=item.pk).state, Eligibility.objects.get(person=world.ann).ended_cause),
        {
            ("keep",): ("kept", ""), ("keep_many",): ("kept", ""), ("modify",): ("modified", ""), ("revoke",): ("revoked", "attestation"),
            ("transfer",): ("undecided", ""),
        },
    )  # fmt: skip


@race(bulk.keep_many)
def lines_are_kept_together(world: World) -> Raced:
    campaign = seen(world, begun(world))
    items = list(campaign.items.values_list("pk", flat=True))
    wrote = ["campaign.bulk_kept", *["campaign.item_decided", "eligibility.reconfirmed"] * len(items)]
    return Raced(
        [
            does(bulk.keep_many, by=actor(world.mo), campaign=campaign, items=each, reason="Needed.", wrote=wrote)
            for each in (items, items[::-1])
        ],
        lambda: set(Item.objects.values_list("state", flat=True)),
        {("keep_many",): {"kept"}},
    )


@race(campaigns.close)
def an_attestation_is_closed(world: World) -> Raced:
    campaign = seen(world, begun(world))
    for item in campaign.items.all():
        campaigns.keep(by=actor(world.mo), item=item, reason="Needed.")
    return Raced(
        [does(campaigns.close, by=actor(who), campaign=campaign) for who in (world.mo, world.pia, world.quinn)],
        lambda: Campaign.objects.get().state,
        {("close",): "closed"},
    )


@race(campaigns.show, campaigns.open_evidence)
def a_line_is_looked_at(world: World) -> Raced:
    campaign = begun(world)
    item = line(campaign, "Ann")
    return Raced(
        [
            does(campaigns.show, by=actor(world.mo), campaign=campaign, only=[item.pk]),
            does(campaigns.open_evidence, by=actor(world.mo), item=item),
        ],
        lambda: Item.objects.filter(shown_at__isnull=False, opened_at__isnull=False).count(),
        {("open_evidence", "show"): 1},
    )


@race(campaigns.remind)
def two_sweeps_remind_of_lines(world: World) -> Raced:
    campaign = begun(world)
    return Raced(
        [does(campaigns.remind, by=process("campaigns"), campaign=campaign, mark="half")],
        lambda: Campaign.objects.get().reminded,
        {("remind",): ["half"]},
    )


@race(reassigning.reassign)
def lines_of_one_who_no_longer_may(world: World) -> Raced:
    campaign = begun(world)
    type(world.system).objects.update(owner=world.zoe)
    RoleAssignment.objects.filter(person=world.mo).update(to_at=now() - timedelta(minutes=1))
    return Raced(
        [
            does(
                reassigning.reassign, by=process("campaigns"), campaign=campaign, wrote=["campaign.item_reassigned"] * 2
            )
        ],
        lambda: world.mo in {each.reviewer for each in campaign.items.all()},
        {("reassign",): False},
    )


@race(duties.note_missed)
def a_duty_is_missed(world: World) -> Raced:
    Campaign.objects.filter(pk=begun(world).pk).update(due_at=now() - timedelta(days=1))
    Duty.objects.update(due_at=now() - timedelta(days=1))
    return Raced(
        [does(duties.note_missed, by=process("campaigns"), duty=Duty.objects.get())],
        lambda: Duty.objects.get().missed_at is not None,
        {("note_missed",): True},
    )


@race(removal.note_removed, removal.note_read_back)
def what_was_taken_away_is_noted(world: World) -> Raced:
    item = campaigns.revoke(by=actor(world.mo), item=ready(world), reason="Left.")
    gone: Said = {"item": item, "listing": None, "present": False}
    return Raced(
        [
            does(removal.note_removed, by=process("campaigns"), item=item, done_by="portal"),
            does(removal.note_read_back, by=process("campaigns"), **gone, wrote=["campaign.removal_read_back"]),
        ],
        lambda: Item.objects.filter(removed_at__isnull=False, access_present=False).count(),
        {("note_read_back", "note_removed"): 1},
    )


def _finding(world: World, **more: Any) -> Finding:
    said: Said = {"kind": "gap", "title": "Records are missing", "about": "w-1", "system": world.system}
    return findings.raise_finding(by=actor(world.kim), **said, **more)


@race(findings.assign)
def a_finding_has_no_owner(world: World) -> Raced:
    row, soon = _finding(world), now() + timedelta(days=5)
    return Raced(
        [
            does(findings.assign, by=actor(world.pia), finding=row, owner=who, due_at=soon)
            for who in (world.mo, world.ben)
        ],
        lambda: Finding.objects.get().state,
        {(): "assigned"},
        free=frozenset({"assign"}),  # who was named a moment ago may give way to another
    )


@race(findings.close, findings.move_due, findings.answer)
def a_finding_is_answered(world: World) -> Raced:
    row = _finding(world, owner=world.mo)
    said: Said = {"cause": "No role.", "response": "A role."}
    findings.answer(by=actor(world.mo), finding=row, **said)
    return Raced(
        [
            does(findings.close, by=actor(world.quinn), finding=row, retest_ok=False, comment="Seen."),
            does(findings.close, by=actor(world.kim), finding=row, retest_ok=False, comment="Seen."),
            does(findings.move_due, by=actor(world.pia), finding=row, due_at=now() + timedelta(days=20)),
            does(findings.answer, by=actor(world.mo), finding=row, **said, proof="CHG-9"),
        ],
        lambda: Finding.objects.get().state,
        {("close",): "closed"},
        free=frozenset({"move_due", "answer"}),
    )


@race(findings.ask_retest)
def a_retest_is_asked(world: World) -> Raced:
    review = taken(world)
    answers = FINE | {"Q10": {"answer": "yes", "comment": "A normal way is missing."}}
    actions.submit(by=actor(world.kim), review=review, answers=answers, outcome="accepted_with_findings")
    row = Finding.objects.get(about=str(review.pk))
    findings.answer(by=actor(world.mo), finding=row, cause="No role.", response="A role.", proof="CHG-9")
    return Raced(
        [does(findings.ask_retest, by=actor(world.mo), finding=row)],
        lambda: Finding.objects.get().state,
        {("ask_retest",): "answered"},
    )


@race(findings_sweep.remind)
def two_sweeps_remind_of_a_finding(world: World) -> Raced:
    row = _finding(world, owner=world.mo)
    Finding.objects.update(due_at=now() - timedelta(days=1))
    return Raced(
        [does(findings_sweep.remind, by=process("findings"), finding=row)],
        lambda: Finding.objects.get().state,
        {("remind",): "assigned"},
    )


@race(duties.set_duty)
def a_duty_is_set(world: World) -> Raced:
    said: Said = {"system": world.system, "kind": "eligibility"}
    return Raced([does(duties.set_duty, by=process("campaigns"), **said)], Duty.objects.count, {("set_duty",): 1})


@race(beginning.start)
def an_attestation_begins(world: World) -> Raced:
    duty = duties.set_duty(by=process("campaigns"), system=world.system, kind="eligibility")
    wrote = ["campaign.started", *["campaign.item_listed"] * 2]
    return Raced(
        [does(beginning.start, by=by, duty=duty, listing=None, wrote=wrote) for by in (process("campaigns"), actor(world.pia))],
        Campaign.objects.count,
        {("start",): 1},
    )  # fmt: skip
