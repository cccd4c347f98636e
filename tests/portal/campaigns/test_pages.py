"""Pages of attestations: who sees what, one line at a time with and without htmx, as many queries for many lines as for one."""

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from audit.log.read import of_subject
from portal.campaigns import actions, sweep
from portal.campaigns.forms import DecisionForm
from portal.campaigns.models import Campaign, Duty, Item
from portal.campaigns.shown import Shown
from portal.clock import now
from portal.eligibility.models import Eligibility, RoleAssignment
from tests.browsing import browser_of, code_of_device, stale
from tests.factories import person
from tests.portal.campaigns.attested import at_line, begun, down, events_of, line, ready, row_of, stand
from tests.worlds import World, actor, make_world

pytestmark = pytest.mark.django_db(transaction=True)
HOSTILE = "<script>alert('x')</script>"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def world() -> World:
    return make_world()


def start_of(world: World, kind: str = "eligibility") -> dict[str, str]:
    return {"kind": kind, "system": str(world.system.pk)}


def test_who_sees_an_attestation_and_what_is_put_to_them(world: World) -> None:
    campaign, sees = begun(world), {}
    for name, somebody in world.people.items():
        answer = browser_of(somebody).get(f"/campaigns/{campaign.pk}/")
        assert answer.status_code in (200, 404)
        if answer.status_code == 200:
            sees[name] = len(answer.context["groups"]["mine"])
    assert sees == {"mo": 2, "kim": 0, "lea": 0, "otto": 0, "pia": 0, "quinn": 0}


def test_strangers_sign_in_first_and_unknown_ones_are_not_found(world: World) -> None:
    campaign = begun(world)
    assert Client().get(f"/campaigns/{campaign.pk}/").headers["Location"] == f"/sign-in/?next=/campaigns/{campaign.pk}/"
    mo = browser_of(world.mo)
    unknown = uuid.uuid4()
    assert mo.get(f"/campaigns/{unknown}/").status_code == 404
    assert [
        mo.post(f"/campaigns/{path}/").status_code for path in (f"lines/{unknown}/decide", f"{unknown}/close", "start")
    ] == [404] * 3


@pytest.mark.parametrize("name", ["ann", "zoe", "kim", "pia", "otto"])
def test_decisions_of_others_are_refused_and_on_record(world: World, name: str) -> None:
    item = ready(world)
    assert (
        browser_of(world.people[name])
        .post(f"/campaigns/lines/{item.pk}/decide/", at_line(item, {"decision": "keep"}))
        .status_code
        == 403
    )
    assert row_of(item)["state"] == "undecided"
    assert events_of(item)[-1].name == "campaign.act_refused"


@pytest.mark.parametrize("name", ["ann", "zoe", "mo", "kim"])
def test_beginning_early_is_for_administrators(world: World, name: str) -> None:
    browser = browser_of(world.people[name])
    assert list(browser.get("/campaigns/").context["startable"]) == []
    assert browser.post("/campaigns/start/", start_of(world)).status_code == 403
    assert not Campaign.objects.exists()
    assert of_subject(world.system.log_subject)[-1].name == "campaign.act_refused"


def test_beginning_early_asks_for_the_second_factor_before_the_target_is_asked(world: World) -> None:
    down(world)
    browser = browser_of(world.pia)
    stale(world.pia)
    address = "/campaigns/start/"
    assert browser.post(address, start_of(world)).status_code == 200  # the page that asks for the code
    assert of_subject(world.system.log_subject)[-1].fields["code"] == "step_up_needed"
    assert (
        browser.post(address, {**start_of(world), "code": code_of_device(world.pia)}).status_code == 409
    )  # and now the target


def test_lists_of_all_systems_begin_with_one_act_and_what_cannot_is_said(world: World) -> None:
    other, silent, foreign = (make_world(slug=slug, people=world.people) for slug in ("other", "silent", "foreign"))
    down(silent)
    RoleAssignment.objects.filter(person=world.pia, system=foreign.system).delete()
    pia, every = browser_of(world.pia), {"kind": "eligibility", "every": "on"}
    answer = pia.post("/campaigns/start/", every, follow=True)
    said = [str(each) for each in answer.context["messages"]]
    assert said[0] == "Campaigns that have begun: 2. Everybody with lines to decide is told."
    assert (len(said), "does not answer" in said[1]) == (2, True)
    assert {each.system for each in Campaign.objects.all()} == {world.system, other.system}
    again = pia.post("/campaigns/start/", every, follow=True)
    assert str(next(iter(again.context["messages"]))).startswith("Campaigns that have begun: 0.")
    assert Campaign.objects.count() == 2
    assert "begun: 0" in browser_of(world.mo).post("/campaigns/start/", every, follow=True).content.decode()


def test_beginning_says_so_when_the_target_does_not_answer(world: World) -> None:
    down(world)
    answer = browser_of(world.pia).post("/campaigns/start/", start_of(world))
    assert (answer.status_code, "does not answer" in answer.content.decode()) == (409, True)


def test_way_through_the_pages(world: World) -> None:
    stand(world, "old_admin")
    pia, mo = browser_of(world.pia), browser_of(world.mo)
    assert pia.post("/campaigns/start/", start_of(world)).status_code == 302
    campaign = Campaign.objects.get()
    assert [each.yours for each in mo.get("/campaigns/").context["open"]] == [3]
    page = mo.get(f"/campaigns/{campaign.pk}/")
    assert [each.item.label for each in page.context["groups"]["mine"]] == [
        "Ann: Billing emergency", "Ben: Billing emergency", "old_admin as billing_emergency",
    ]  # fmt: skip
    sent = {
        "Ann": {"decision": "keep"}, "Ben": {"decision": "revoke", "reason": HOSTILE}, "old_admin": {"decision": "keep", "reason": "The vendor's."},
    }  # fmt: skip
    for who, data in sent.items():
        item = line(campaign, who)
        assert mo.post(f"/campaigns/lines/{item.pk}/decide/", at_line(item, data)).status_code == 302
    page = mo.get(f"/campaigns/{campaign.pk}/")
    assert (page.context["may_close"], HOSTILE in page.content.decode()) == (True, False)
    assert [each.removal[0] for each in page.context["groups"]["decided"]] == ["", "Gone on the target", ""]
    assert mo.post(f"/campaigns/{campaign.pk}/close/").status_code == 302
    done = mo.get(f"/campaigns/{campaign.pk}/").content.decode()
    assert campaign.snapshot_sha256 in done
    assert [each.pk for each in mo.get("/campaigns/").context["page"]] == [campaign.pk]


@pytest.mark.parametrize(
    ("data", "fields"),
    [
        ({}, {"decision"}),
        ({"decision": "forget"}, {"decision"}),
        ({"decision": "modify", "reason": "Later."}, {"to_at"}),
        ({"decision": "modify", "reason": "Later.", "to_at": "2020-01-01T00:00"}, {"__all__"}),
        ({"decision": "transfer"}, {"to"}),
        ({"decision": "transfer", "to": "nobody"}, {"to"}),
        ({"decision": "revoke"}, {"__all__"}),
        ({"decision": "keep", "reason": "left \u202e right"}, {"reason"}),
        ({"decision": "keep", "reason": "x" * 1_000_000}, {"reason"}),
    ],
)
@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
def test_what_is_missing_is_said_and_the_rest_is_kept(
    world: World, data: dict[str, str], fields: set[str], headers: dict[str, str]
) -> None:
    item = ready(world)
    answer = browser_of(world.mo).post(f"/campaigns/lines/{item.pk}/decide/", at_line(item, data), headers=headers)
    assert answer.status_code == 422
    form = answer.context["line"].form if headers else answer.context["errors"][0]
    assert set(form.errors) == fields
    assert ("<html" in answer.content.decode()) == (headers == {})
    if data.get("reason") == "Later.":
        assert "Later." in answer.content.decode()
    assert row_of(item)["state"] == "undecided"


def test_htmx_gets_the_line_as_a_fresh_page_shows_it(world: World) -> None:
    item, mo = ready(world), browser_of(world.mo)
    part = mo.post(
        f"/campaigns/lines/{item.pk}/decide/", at_line(item, {"decision": "keep"}), headers=HTMX
    ).content.decode()
    page = mo.get(f"/campaigns/{item.campaign_id}/").content.decode()
    assert part.replace(' tabindex="-1" autofocus', "").strip() in page


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
def test_second_factor_is_asked_on_a_whole_page_with_what_was_typed(world: World, headers: dict[str, str]) -> None:
    item, mo = ready(world), browser_of(world.mo)
    stale(world.mo)
    sent = {"decision": "revoke", "reason": "Left the team."}
    asked = mo.post(f"/campaigns/lines/{item.pk}/decide/", at_line(item, sent), headers=headers)
    assert (asked.status_code, "Left the team." in asked.content.decode()) == (200, True)
    assert asked.headers.get("HX-Retarget") == ("body" if headers else None)
    assert row_of(item)["state"] == "undecided"
    assert (
        mo.post(
            f"/campaigns/lines/{item.pk}/decide/", at_line(item, {**sent, "code": code_of_device(world.mo)})
        ).status_code
        == 302
    )
    assert row_of(item)["state"] == "revoked"


def test_handing_on_leaves_the_line_with_the_other(world: World) -> None:
    item, mo = ready(world), browser_of(world.mo)
    sent = {"decision": "transfer", "to": str(world.kim.pk), "reason": "Her team."}
    assert mo.post(f"/campaigns/lines/{item.pk}/decide/", at_line(item, sent)).status_code == 302
    page = browser_of(world.kim).get(f"/campaigns/{item.campaign_id}/")
    assert [each.item.pk for each in page.context["groups"]["mine"]] == [item.pk]


def test_nobody_who_gave_the_right_is_offered_for_handing_on(world: World) -> None:
    item = ready(world)
    form = _form(browser_of(world.mo), item)
    assert set(form.others.values()) == {world.kim, world.lea}
    sent = {"decision": "transfer", "to": str(world.pia.pk)}
    answer = browser_of(world.mo).post(f"/campaigns/lines/{item.pk}/decide/", at_line(item, sent))
    assert (answer.status_code, row_of(item)["reviewer_id"]) == (422, world.mo.pk)


@pytest.mark.parametrize(("name", "offered"), [("quinn", True), ("pia", True), ("kim", False), ("otto", False)])
def test_administrator_hands_on_what_was_put_to_another(world: World, name: str, *, offered: bool) -> None:
    """So that no line is stuck with somebody who is away; who gave the right may do no more than that."""
    item, browser = ready(world), browser_of(world.people[name])
    page = browser.get(f"/campaigns/{item.campaign_id}/").content.decode()
    assert ('value="transfer"' in page, 'value="keep"' in page) == (offered, False)
    sent = {"decision": "transfer", "to": str(world.lea.pk), "reason": "Mo is away."}
    status = browser.post(f"/campaigns/lines/{item.pk}/decide/", at_line(item, sent)).status_code
    assert (status, row_of(item)["reviewer_id"]) == ((302, world.lea.pk) if offered else (403, world.mo.pk))


def test_who_gave_the_right_is_told_to_hand_it_on(world: World) -> None:
    item, mo = ready(world), browser_of(world.mo)
    Eligibility.objects.filter(pk=item.subject).update(approved_by=world.mo)
    Item.objects.exclude(pk=item.pk).update(person=world.mo)
    page = mo.get(f"/campaigns/{item.campaign_id}/").content.decode()
    assert ("You asked for this right" in page, 'value="keep"' in page, 'value="transfer"' in page) == (
        True,
        False,
        True,
    )
    answer = mo.post(f"/campaigns/lines/{item.pk}/decide/", at_line(item, {"decision": "keep", "reason": "Needed."}))
    assert (answer.status_code, "Hand the line on" in answer.content.decode()) == (403, True)


def test_page_says_what_to_do_where_nobody_else_can_decide(world: World) -> None:
    item = ready(world)
    RoleAssignment.objects.filter(role="reviewer").update(to_at=now())
    page = browser_of(world.mo).get(f"/campaigns/{item.campaign_id}/").content.decode()
    assert ("Nobody else can decide on this line" in page, 'value="transfer"' in page) == (True, False)


def _form(browser: Client, item: Item) -> DecisionForm:
    lines: list[Shown] = browser.get(f"/campaigns/{item.campaign_id}/").context["groups"]["mine"]
    return next(each.form for each in lines if each.item.pk == item.pk and each.form)


def test_narrowing_through_the_page(world: World) -> None:
    item = ready(world)
    end = (now() + timedelta(days=3)).replace(second=0, microsecond=0)
    sent = {"decision": "modify", "to_at": end.strftime("%Y-%m-%dT%H:%M"), "reason": "Until the handover."}
    assert browser_of(world.mo).post(f"/campaigns/lines/{item.pk}/decide/", at_line(item, sent)).status_code == 302
    assert Eligibility.objects.get(pk=item.subject).to_at == end


def test_lines_are_seen_by_whom_they_are_put_to(world: World) -> None:
    campaign = begun(world)
    browser_of(world.pia).get(f"/campaigns/{campaign.pk}/")
    assert not Item.objects.filter(shown_at__isnull=False).exists()
    for _ in range(2):
        browser_of(world.mo).get(f"/campaigns/{campaign.pk}/")
    assert [len(events_of(item, "campaign.item_shown")) for item in Item.objects.all()] == [1, 1]


def test_closing_with_undecided_lines_is_refused(world: World) -> None:
    answer = browser_of(world.mo).post(f"/campaigns/{begun(world).pk}/close/")
    assert (answer.status_code, "still undecided: 2" in answer.content.decode()) == (422, True)


def test_list_names_its_total_and_is_a_file(world: World) -> None:
    page = browser_of(world.mo).get("/campaigns/").content.decode()
    assert ("<strong>0</strong> attestations" in page, 'action="/lists/campaigns.csv' in page) == (True, True)
    begun(world)
    total = Campaign.objects.count()
    page = browser_of(world.mo).get("/campaigns/").content.decode()
    assert f"<strong>{total}</strong> attestation" in page


def test_owed_ones_are_listed_with_what_was_missed(world: World) -> None:
    sweep.run_due()
    mo = browser_of(world.mo)
    assert (
        "Ahead" in mo.get("/campaigns/").content.decode(),
        "Not done in time" in mo.get("/campaigns/").content.decode(),
    ) == (True, False)
    Duty.objects.update(due_at=now() - timedelta(days=1), missed_at=now())
    assert "Not done in time" in mo.get("/campaigns/").content.decode()


def test_snapshot_is_not_read_to_show_a_page_or_to_decide(world: World) -> None:
    """It is as long as the list, and once stood in the row that each line joins."""
    item, mo = ready(world), browser_of(world.mo)
    with CaptureQueriesContext(connection) as asked:
        assert mo.get(f"/campaigns/{item.campaign_id}/").status_code == 200
        assert mo.get(f"/campaigns/lines/{item.pk}/").status_code == 200
        actions.keep(by=actor(world.mo), item=item)
    assert [each["sql"] for each in asked if "portal_snapshot" in each["sql"]] == []


def queries(browser: Client, path: str) -> int:
    browser.get(path)
    with CaptureQueriesContext(connection) as caught:
        assert browser.get(path).status_code == 200
    return len(caught)


def _closed(world: World) -> Campaign:
    campaign = begun(world)
    actions.show(by=actor(world.mo), campaign=campaign)
    for item in Item.objects.filter(campaign=campaign):
        actions.keep(by=actor(world.mo), item=item, reason="Needed.")
    return actions.close(by=actor(world.mo), campaign=campaign)


def test_list_asks_as_often_for_three_as_for_one(world: World) -> None:
    mo = browser_of(world.mo)
    _closed(world)
    sweep.run_due()
    one = queries(mo, "/campaigns/")
    for _ in range(2):
        _closed(world)
    assert queries(mo, "/campaigns/") == one


def test_page_asks_as_often_for_many_lines_as_for_one(world: World) -> None:
    stand(world, "old_admin")
    campaign, mo = begun(world), browser_of(world.mo)
    few = queries(mo, f"/campaigns/{campaign.pk}/")
    at = now() - timedelta(days=2)
    for number in range(6):
        Eligibility._base_manager.create(
            person=person(f"Nr{number} Person", enrolled=False), privilege=world.privilege, proposed_by=world.pia, proposed_at=at,
            approved_by=world.quinn, approved_at=at, from_at=at,
        )  # fmt: skip
    Campaign.objects.update(state="closed", closed_at=now(), closed_by=world.mo, statement="x")
    assert queries(mo, f"/campaigns/{begun(world).pk}/") == few
