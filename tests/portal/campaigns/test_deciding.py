"""Deciding on the lines of a campaign, and closing it."""

import json
from datetime import timedelta

import pytest

from portal.campaigns import actions
from portal.campaigns.figures import statement
from portal.campaigns.lines import sha256
from portal.campaigns.models import Campaign, Item
from portal.campaigns.states import ITEM_MOVES, ITEM_STATES, KEPT, MODIFIED, REVOKED, UNDECIDED
from portal.clock import ms, now
from portal.eligibility.models import Eligibility, RoleAssignment
from portal.errors import ChangedMeanwhile, NotAllowed, RefusedByPolicy, StepUpNeeded, WrongState
from portal.notifications.models import Alert
from tests.portal.campaigns.attested import ACTS, NOTE, begun, events_of, line, ready, row_of, seen, stand
from tests.worlds import World, actor, make_world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> World:
    return make_world()


# --- decisions

AFTER = {"keep": KEPT, "modify": MODIFIED, "revoke": REVOKED, "transfer": UNDECIDED}


def test_table_names_every_act() -> None:
    assert {*ACTS, "reassign"} == set(ITEM_MOVES)
    assert {move.target for move in ITEM_MOVES.values()} == set(ITEM_STATES)


@pytest.mark.parametrize("act", ACTS)
def test_decision_takes_effect_with_its_events(world: World, act: str) -> None:
    item = ready(world)
    ACTS[act](actor(world.mo), item, world)
    row = row_of(item)
    assert row["state"] == AFTER[act]
    event = events_of(item)[-1]
    assert (event.name, event.fields["decision"], event.fields["reason_given"], event.personal["reason"]) == (
        "campaign.item_decided", act, 1, NOTE,
    )  # fmt: skip
    assert NOTE not in json.dumps(event.fields)
    eligibility = Eligibility.objects.get(pk=item.subject)
    told = {
        "keep": "eligibility.reconfirmed",
        "modify": "eligibility.shortened",
        "revoke": "eligibility.revoked",
        "transfer": "eligibility",
    }
    assert [each.name for each in events_of(eligibility)] == ([told[act]] if act != "transfer" else [])
    assert (eligibility.ended_at is not None, eligibility.to_at is not None) == (act == "revoke", act == "modify")


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("state", [KEPT, MODIFIED, REVOKED])
def test_decided_line_is_never_decided_again(world: World, state: str, act: str) -> None:
    item = ready(world)
    ACTS[next(name for name, after in AFTER.items() if after == state)](actor(world.mo), item, world)
    before = row_of(item)
    with pytest.raises(ChangedMeanwhile):
        ACTS[act](actor(world.mo), item, world)
    assert row_of(item) == before
    assert events_of(item)[-1].name == "campaign.act_refused"


@pytest.mark.parametrize("act", ["keep", "modify", "revoke"])
@pytest.mark.parametrize("name", ["ann", "ben", "kim", "pia", "otto", "ines", "zoe"])
def test_line_is_decided_by_whom_it_was_put_to(world: World, name: str, act: str) -> None:
    item = ready(world)
    with pytest.raises(NotAllowed):
        ACTS[act](actor(world.people[name]), item, world)
    assert row_of(item)["state"] == UNDECIDED


@pytest.mark.parametrize("act", ACTS)
def test_nobody_decides_on_a_line_about_themselves(world: World, act: str) -> None:
    """Not even if the row says that it was put to them."""
    item = ready(world)
    Item.objects.filter(pk=item.pk).update(person=world.mo)
    with pytest.raises(NotAllowed) as refusal:
        ACTS[act](actor(world.mo), item, world)
    assert refusal.value.kind == "own"


def test_who_left_their_role_decides_no_more_and_an_administrator_hands_on(world: World) -> None:
    item = ready(world)
    actions.transfer(by=actor(world.mo), item=item, to=world.kim)
    actions.show(by=actor(world.kim), campaign=item.campaign)
    RoleAssignment.objects.filter(person=world.kim).update(to_at=now())
    with pytest.raises(NotAllowed, match="attest its list"):
        actions.keep(by=actor(world.kim), item=item, reason=NOTE)
    actions.transfer(by=actor(world.pia), item=item, to=world.mo)
    assert row_of(item)["reviewer_id"] == world.mo.pk


def test_transfer_names_the_owner_who_must_see_it_first(world: World) -> None:
    item = ready(world)
    Alert.objects.all().delete()
    actions.transfer(by=actor(world.mo), item=item, to=world.lea, reason="Her team.")
    row = row_of(item)
    assert (row["owner_id"], row["reviewer_id"], row["shown_at"]) == (world.lea.pk, world.lea.pk, None)
    assert [each.recipient for each in Alert.objects.all()] == [world.lea]
    with pytest.raises(WrongState, match="Look at this line"):
        actions.keep(by=actor(world.lea), item=item, reason=NOTE)
    seen(world, item.campaign, "lea")
    assert actions.keep(by=actor(world.lea), item=item, reason=NOTE).state == KEPT


@pytest.mark.parametrize("act", ["keep", "modify", "revoke"])
@pytest.mark.parametrize("hand", ["proposed_by", "approved_by"])
def test_nobody_decides_on_a_right_that_they_proposed_or_approved(world: World, hand: str, act: str) -> None:
    """Not even if the row says that it was put to them: they hand it on, to somebody who is not concerned."""
    item = ready(world)
    Eligibility.objects.filter(pk=item.subject).update(**{hand: world.mo})
    before = row_of(item)
    with pytest.raises(NotAllowed, match="asked for this right") as refusal:
        ACTS[act](actor(world.mo), item, world)
    assert (refusal.value.kind, row_of(item), events_of(item)[-1].name) == ("own", before, "campaign.act_refused")
    assert actions.transfer(by=actor(world.mo), item=item, to=world.kim).reviewer == world.kim


@pytest.mark.parametrize("by", ["mo", "quinn"])
@pytest.mark.parametrize("to", ["pia", "quinn"])
def test_line_is_never_handed_to_who_proposed_or_approved_the_right(world: World, by: str, to: str) -> None:
    """An administrator who approved it could else take it, and keep it."""
    item = ready(world)
    before = row_of(item)
    with pytest.raises(NotAllowed, match="proposed or approved this right") as refusal:
        actions.transfer(by=actor(world.people[by]), item=item, to=world.people[to])
    assert (refusal.value.kind, row_of(item)) == ("own", before)


@pytest.mark.parametrize("to", ["mo", "ann", "zoe", "otto", "ines"])
def test_transfer_is_to_another_who_attests_and_is_not_concerned(world: World, to: str) -> None:
    item = ready(world)
    with pytest.raises(NotAllowed):
        actions.transfer(by=actor(world.mo), item=item, to=world.people[to])


@pytest.mark.parametrize(("method", "age_s"), [("totp", 16 * 60), ("recovery", 10), (None, 10)])
@pytest.mark.parametrize("act", ACTS)
def test_deciding_needs_a_fresh_second_factor(world: World, act: str, method: str | None, age_s: int) -> None:
    item = ready(world)
    with pytest.raises(StepUpNeeded):
        ACTS[act](actor(world.mo, method=method, age_s=age_s), item, world)


def test_note_is_needed_where_it_is_not_kept(world: World) -> None:
    item, by = ready(world), actor(world.mo)
    with pytest.raises(RefusedByPolicy, match="Say why it does not stay"):
        actions.modify(by=by, item=item, to_at=now() + timedelta(days=5), reason=" ")
    with pytest.raises(RefusedByPolicy, match="Say why it does not stay"):
        actions.revoke(by=by, item=item, reason="")


@pytest.mark.parametrize(
    ("granted", "used_d", "drilled_d", "needed"),
    [
        (179, None, None, False),
        (181, None, None, True),
        (400, 179, None, False),
        (400, 181, None, True),
        (400, 300, 10, False),
    ],
)
def test_note_is_needed_to_keep_what_nobody_used(
    world: World, granted: int, used_d: int | None, drilled_d: int | None, *, needed: bool
) -> None:
    item = ready(world)
    ago = {"granted_at": granted, "last_use": used_d, "last_drill": drilled_d}
    item.facts |= {name: ms(now() - timedelta(days=days)) for name, days in ago.items() if days is not None}
    item.save(update_fields=["facts"])
    if needed:
        with pytest.raises(RefusedByPolicy, match="say why it stays"):
            actions.keep(by=actor(world.mo), item=item)
        return
    assert actions.keep(by=actor(world.mo), item=item).state == KEPT


def test_narrowing_is_to_an_earlier_end(world: World) -> None:
    item = ready(world)
    with pytest.raises(RefusedByPolicy):
        actions.modify(by=actor(world.mo), item=item, to_at=now() - timedelta(days=1), reason=NOTE)
    end = now() + timedelta(days=2)
    actions.modify(by=actor(world.mo), item=item, to_at=end, reason=NOTE)
    (event,) = events_of(item, "campaign.item_decided")
    assert (event.fields["expires_at"], Eligibility.objects.get(pk=item.subject).to_at) == (ms(end), end)


def test_line_whose_eligibility_ended_meanwhile_can_still_be_decided(world: World) -> None:
    from portal.grants import narrowing

    item = ready(world)
    narrowing.revoke_eligibility(by=actor(world.kim), eligibility=Eligibility.objects.get(pk=item.subject))
    with pytest.raises(RefusedByPolicy, match="in force"):
        ACTS["modify"](actor(world.mo), item, world)
    assert actions.revoke(by=actor(world.mo), item=item, reason=NOTE).state == REVOKED


def test_standing_access_is_not_narrowed(world: World) -> None:
    stand(world, "old_admin")
    item = ready(world, "old_admin")
    with pytest.raises(RefusedByPolicy):
        ACTS["modify"](actor(world.mo), item, world)
    with pytest.raises(RefusedByPolicy, match="say why it stays"):
        actions.keep(by=actor(world.mo), item=item)
    assert actions.keep(by=actor(world.mo), item=item, reason="The vendor's.").state == KEPT


# --- closing


def decided(world: World) -> Campaign:
    campaign = seen(world, begun(world))
    for act, who in (("keep", "Ann"), ("revoke", "Ben")):
        ACTS[act](actor(world.mo), line(campaign, who), world)
    return campaign


def test_closing_states_the_fingerprint_and_counts(world: World) -> None:
    campaign = actions.close(by=actor(world.mo), campaign=decided(world))
    assert campaign.closed_at is not None
    (event,) = events_of(campaign, "campaign.closed")
    assert event.fields == {
        "campaign_id": str(campaign.pk), "duty_id": str(campaign.duty_id), "kind": "eligibility", "system_id": str(world.system.pk),
        "closed_at": ms(campaign.closed_at), "recomputed_sha256": campaign.snapshot_sha256, "statement_sha256": sha256(campaign.statement),
        "kept": 1, "modified": 0, "revoked": 1, "undecided": 0,
    }  # fmt: skip
    assert campaign.statement.startswith(statement())
    assert campaign.snapshot_sha256 in campaign.statement


def test_change_of_the_list_shows_at_closing(world: World) -> None:
    campaign = decided(world)
    Item.objects.filter(label__startswith="Ann").update(label="Ann: Nothing")
    (event,) = events_of(actions.close(by=actor(world.mo), campaign=campaign), "campaign.closed")
    assert event.fields["recomputed_sha256"] != campaign.snapshot_sha256


def test_closing_waits_for_every_line(world: World) -> None:
    item = ready(world)
    actions.keep(by=actor(world.mo), item=item, reason=NOTE)
    with pytest.raises(RefusedByPolicy, match="undecided: 1"):
        actions.close(by=actor(world.mo), campaign=item.campaign)


@pytest.mark.parametrize(
    ("name", "ok"), [("mo", True), ("pia", True), ("kim", False), ("ann", False), ("otto", False), ("zoe", False)]
)
def test_owner_and_administrators_close(world: World, name: str, *, ok: bool) -> None:
    campaign = decided(world)
    if ok:
        assert actions.close(by=actor(world.people[name]), campaign=campaign).closed_by_id == world.people[name].pk
        return
    with pytest.raises(NotAllowed):
        actions.close(by=actor(world.people[name]), campaign=campaign)


def test_closing_is_once_and_freshly_confirmed(world: World) -> None:
    campaign = decided(world)
    with pytest.raises(StepUpNeeded):
        actions.close(by=actor(world.mo, age_s=3600), campaign=campaign)
    actions.close(by=actor(world.mo), campaign=campaign)
    with pytest.raises(ChangedMeanwhile):
        actions.close(by=actor(world.mo), campaign=campaign)
    assert events_of(campaign)[-1].name == "campaign.act_refused"


def test_list_of_nobody_is_closed_too(world: World) -> None:
    Eligibility.objects.update(to_at=now())
    assert actions.close(by=actor(world.mo), campaign=begun(world)).state == "closed"
