"""Keeping many lines at once: never over mixed risk without a second word, each line with its own event, and nothing else in bulk."""

import uuid
from collections.abc import Callable, Iterable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.log.append import LogUnavailable, Refused
from audit.log.read import LoggedEvent
from portal.campaigns import actions, bulk
from portal.campaigns.models import Campaign, Item
from portal.clock import now
from portal.eligibility.models import Eligibility
from portal.errors import ChangedMeanwhile, NotAllowed, RefusedByPolicy, StepUpNeeded, WrongState
from tests.browsing import browser_of
from tests.factories import broken_log
from tests.portal.campaigns.attested import NOTE, begun, events_of, line, seen, stand
from tests.worlds import World, actor, let_ask, make_world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> World:
    return make_world()


def listed(world: World, *more: str) -> Campaign:
    """Ann and Ben, and others, each shown to Mo."""
    for name in more:
        let_ask(world, name)
    return seen(world, begun(world))


def weigh(campaign: Campaign, who: str, risk: str, **facts: object) -> Item:
    item = line(campaign, who)
    item.facts |= {"risk": risk, **facts}
    item.save(update_fields=["facts"])
    return item


def keep(world: World, campaign: Campaign, by: str = "mo", **said: object) -> bulk.KeptTogether:
    ids = said.pop("items", None) or list(Item.objects.filter(campaign=campaign).values_list("pk", flat=True))
    return bulk.keep_many(by=actor(world.people[by]), campaign=campaign, items=ids, **said)  # type: ignore[arg-type]  # as the action says


def states(campaign: Campaign) -> set[str]:
    return set(Item.objects.filter(campaign=campaign).values_list("state", flat=True))


def _gave(world: World) -> dict[str, object]:
    """Mo came to be the one who put Ann on the list."""
    Eligibility.objects.filter(person=world.ann).update(approved_by=world.mo)
    return {"label": "Ann"}


def last(events: Iterable[LoggedEvent]) -> dict[str, object]:
    return [event.fields for event in events][-1]


def test_each_line_has_its_own_decision_and_the_act_has_its_event(world: World) -> None:
    campaign = listed(world)
    assert keep(world, campaign, reason=NOTE) == bulk.KeptTogether(2, 0)
    (act,) = events_of(campaign, "campaign.bulk_kept")
    assert (act.fields["count"], act.fields["risks"], act.fields["mixed_risk"]) == (2, ["plain"], 0)
    for number, item in enumerate(Item.objects.filter(campaign=campaign).order_by("pk"), 1):
        fields = last(events_of(item, "campaign.item_decided"))
        assert (fields["decision"], fields["bulk_id"], fields["same_reason"], fields["evidence_opened"]) == (
            "keep", act.fields["bulk_id"], number, 0,
        )  # fmt: skip
        row = Eligibility.objects.get(pk=item.subject)
        assert [event.name for event in events_of(row)] == ["eligibility.reconfirmed"]


def test_mixed_risk_is_kept_only_when_it_is_said_a_second_time(world: World) -> None:
    campaign = listed(world)
    weigh(campaign, "Ann", "high")
    with pytest.raises(bulk.MixedRisk):
        keep(world, campaign)
    assert (states(campaign), events_of(campaign)[-1].fields["code"]) == ({"undecided"}, "mixed_risk")
    assert keep(world, campaign, mixed_confirmed=True).kept == 2
    (act,) = events_of(campaign, "campaign.bulk_kept")
    assert (act.fields["risks"], act.fields["mixed_risk"]) == (["high", "plain"], 1)


def test_what_was_decided_meanwhile_is_left_as_it_is(world: World) -> None:
    campaign = listed(world)
    actions.revoke(by=actor(world.mo), item=line(campaign, "Ben"), reason=NOTE)
    assert keep(world, campaign) == bulk.KeptTogether(1, 1)
    assert states(campaign) == {"kept", "revoked"}
    with pytest.raises(ChangedMeanwhile):
        keep(world, campaign)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        (lambda _: {"facts": {"risk": "plain", "granted_at": 0}}, RefusedByPolicy),
        (lambda _: {"shown_at": None}, WrongState),
        (lambda world: {"reviewer": world.kim}, NotAllowed),
        (lambda world: {"person": world.mo}, NotAllowed),
        (_gave, NotAllowed),
    ],
    ids=["dormant without a reason", "never on the screen", "another's", "about the judge", "given by the judge"],
)  # fmt: skip
def test_one_line_that_may_not_be_kept_so_keeps_all(
    world: World, changes: Callable[[World], dict[str, object]], error: type[Refused]
) -> None:
    campaign = listed(world)
    ids = list(Item.objects.filter(campaign=campaign, reviewer=world.mo).values_list("pk", flat=True))
    Item.objects.filter(pk=line(campaign, "Ann").pk).update(**changes(world))
    with pytest.raises(error):
        keep(world, campaign, items=ids)
    assert states(campaign) == {"undecided"}
    assert not events_of(campaign, "campaign.bulk_kept")


def test_too_many_none_stale_and_a_broken_log(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    campaign = listed(world)
    with pytest.raises(RefusedByPolicy):
        keep(world, campaign, items=[uuid.uuid4()])
    with pytest.raises(StepUpNeeded):
        bulk.keep_many(by=actor(world.mo, age_s=3600), campaign=campaign, items=[line(campaign, "Ann").pk])
    with broken_log(), pytest.raises(LogUnavailable):
        keep(world, campaign)
    monkeypatch.setattr(bulk, "MOST", 1)
    with pytest.raises(RefusedByPolicy, match="At most 1 lines"):
        keep(world, campaign)
    assert states(campaign) == {"undecided"}


def test_many_are_asked_about_as_often_as_few(world: World) -> None:
    campaign = listed(world, "zoe", "kim", "lea")
    mine = list(Item.objects.filter(campaign=campaign, reviewer=world.mo).values_list("pk", flat=True))
    assert len(mine) >= 4

    def asked(items: list[uuid.UUID]) -> int:
        with CaptureQueriesContext(connection) as caught:
            keep(world, campaign, items=items)
        return len(caught)

    assert asked(mine[:1]) == asked(mine[1:])


# --- pages


def test_page_keeps_what_is_ticked_and_asks_again_over_mixed_risk(world: World) -> None:
    stand(world, "old_admin")
    campaign, mo = listed(world), browser_of(world.mo)
    page = mo.get(f"/campaigns/{campaign.pk}/?view=rows&tick=all")
    assert page.content.decode().count('form="keep-many"') == 3
    address, ids = f"/campaigns/{campaign.pk}/keep/", [str(item.pk) for item in Item.objects.filter(campaign=campaign)]
    assert mo.post(address, {}).status_code == 422
    asked = mo.post(address, {"lines": ids, "reason": "On call <b>."})
    assert (asked.status_code, asked.context["total"], states(campaign)) == (200, 3, {"undecided"})
    assert ("<b>" in asked.content.decode(), "old_admin as billing_emergency" in asked.content.decode()) == (
        False,
        True,
    )
    done = mo.post(address, {"lines": ids, "reason": "On call.", "mixed": "on"})
    assert (done.status_code, states(campaign)) == (302, {"kept"})


@pytest.mark.parametrize("name", ["ann", "zoe", "kim"])
def test_others_keep_nothing_and_see_no_labels(world: World, name: str) -> None:
    campaign = listed(world)
    weigh(campaign, "Ann", "high")
    ids = [str(item.pk) for item in Item.objects.filter(campaign=campaign)]
    answer = browser_of(world.people[name]).post(f"/campaigns/{campaign.pk}/keep/", {"lines": ids})
    assert (answer.status_code, "Ben" in answer.content.decode(), states(campaign)) == (403, False, {"undecided"})


def test_refusal_comes_back_with_what_was_ticked(world: World) -> None:
    campaign, mo = listed(world), browser_of(world.mo)
    item = weigh(campaign, "Ann", "plain", granted_at=0, dormant_days=900)
    answer = mo.post(f"/campaigns/{campaign.pk}/keep/", {"lines": [str(item.pk), "no id"], "reason": "Why not"})
    assert (answer.status_code, "Why not" in answer.content.decode()) == (422, True)
    answer = mo.post(f"/campaigns/{campaign.pk}/keep/", {"lines": [str(item.pk)]})
    assert (answer.status_code, answer.context["ticked"]) == (422, {item.pk})


# --- evidence, and how it was judged


def test_evidence_is_noted_once_for_who_judges(world: World) -> None:
    campaign = begun(world)
    item, mo, pia = line(campaign, "Ann"), browser_of(world.mo), browser_of(world.pia)
    assert pia.get(f"/campaigns/lines/{item.pk}/").status_code == 200
    assert Item.objects.get(pk=item.pk).opened_at is None
    for _ in range(2):
        assert mo.get(f"/campaigns/lines/{item.pk}/").status_code == 200
    assert [event.name for event in events_of(item)] == [
        "campaign.item_listed", "page.viewed", "page.viewed", "campaign.item_shown", "campaign.evidence_opened",
    ]  # fmt: skip
    actions.keep(by=actor(world.mo), item=item)
    assert last(events_of(item, "campaign.item_decided"))["evidence_opened"] == 1
    for name in ("ann", "zoe"):
        assert browser_of(world.people[name]).get(f"/campaigns/lines/{item.pk}/").status_code == 404


def test_who_clicks_through_in_seconds_is_signalled_and_refused_nothing(world: World) -> None:
    names = ("zoe", "ines", "jon", "kim", "lea", "otto", "pia", "quinn")
    campaign = listed(world, *names)
    mine = list(Item.objects.filter(campaign=campaign, reviewer=world.mo))
    assert len(mine) >= 8
    for item in mine:
        actions.keep(by=actor(world.mo), item=item, reason="ok")
    page = browser_of(world.otto).get(f"/campaigns/{campaign.pk}/judging/")
    (mo,) = (each["sitting"] for each in page.context["sittings"])
    beyond = {figure.name for figure in mo.figures if figure.beyond}
    assert "Lines with the same words" in beyond
    assert ("Time for each line, median" in beyond) == (len(mine) >= 10)
    assert states(campaign) <= {"kept", "undecided"}
    assert all(item.decided_at and item.decided_at <= now() for item in Item.objects.filter(state="kept"))
    for name, status in (("mo", 200), ("quinn", 200), ("kim", 404), ("ann", 404)):
        assert browser_of(world.people[name]).get(f"/campaigns/{campaign.pk}/judging/").status_code == status
