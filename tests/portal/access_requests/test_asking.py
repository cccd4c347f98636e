"""Asking for access by the pages: what the policy says, what is refused beside its field, what is kept."""

import html
import re
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.test import Client

from audit.log.append import process
from portal.access_requests import actions
from portal.access_requests.models import AccessRequest
from portal.clock import now
from portal.eligibility.models import Eligibility, RoleAssignment
from portal.errors import ChangedMeanwhile, NotAllowed, RefusedByPolicy
from portal.grants import authorising
from portal.grants.actions import revoke
from portal.grants.models import Grant
from portal.policy.models import PolicyVersion
from portal.policy.rules import Policy
from tests.browsing import browser_of, code_of_device, stale
from tests.factories import broken_log
from tests.worlds import REASON, World, actor, make_world, names_of, request_of, sealing

pytestmark = pytest.mark.django_db(transaction=True)
SAID: dict[str, object] = {
    "criterion": "outage", "category": "availability", "reason": REASON, "intended_classes": ["data_read", "data_change"],
    "incident_ref": "INC-1", "minutes": "30",
}  # fmt: skip
SHORT = {"criterion": "outage", "reason": "Writes fail."}


@pytest.fixture
def world() -> World:
    return make_world()


def text(page: bytes) -> str:
    """The words of a page, with one blank between them."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page.decode())).split())


def two_systems(world: World) -> World:
    return make_world(slug="payments", on_target="payments_emergency", people=world.people)


def test_one_eligibility_leads_to_its_form_and_the_policy_speaks_before_it(world: World) -> None:
    page = browser_of(world.ann).get("/requests/new/").content
    said = text(page)
    for sentence in (
        "One approver of 2 must say yes.",
        "At most 120 minutes.",
        "You must name an incident.",
        "Asked now: Ines, Jon.",
        "Told when it opens: Mo.",
    ):
        assert sentence in said
    assert said.index("must say yes") < said.index("Why now?")
    assert re.search(r"Opened now, it ends at \d+ \w+ \d{4}, \d\d:\d\d UTC", said)


def test_several_eligibilities_are_picked_from_first(world: World) -> None:
    other = two_systems(world)
    browser = browser_of(world.ann)
    page = browser.get("/requests/new/").content.decode()
    assert {f"?privilege={each.privilege.pk}" for each in (world, other)} == set(
        re.findall(r'href="(\?privilege=[^"&]+)"', page)
    )
    assert "Payments" in text(browser.get(f"/requests/new/?privilege={other.privilege.pk}").content)


def test_nobody_without_eligibility_is_shown_a_system(world: World) -> None:
    for name in ("zoe", "ines", "mo", "otto", "pia"):
        said = text(browser_of(world.people[name]).get("/requests/new/").content)
        assert "You are on no list" in said
        assert "Billing" not in said


def test_request_is_made_and_leads_to_its_page(world: World) -> None:
    answer = browser_of(world.ann).post("/requests/new/", SAID)
    made = AccessRequest.objects.get()
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/requests/{made.pk}/")
    assert (made.reason, made.minutes, made.state, made.intended_classes) == (
        REASON,
        30,
        "awaiting",
        ["data_read", "data_change"],
    )


def test_what_is_wrong_is_listed_in_the_order_of_the_page(world: World) -> None:
    both = "&".join(f"privilege={each.privilege.pk}" for each in (world, two_systems(world)))
    browser = browser_of(world.ann)
    for address in (f"/requests/new/?{both[: both.index('&')]}", f"/requests/several/?{both}"):
        page = browser.post(address, {"minutes": "30"}).content.decode()
        summary, form = page[page.index("<main") :].split('<form method="post"', 1)
        named = re.findall(r'href="#(id_\w+)"', summary)
        places = [form.index(f'id="{each}"') for each in named]
        assert (len(named), places) == (5, sorted(places))


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("criterion", "", "Choose one."),
        ("criterion", "boredom", "Choose one of these."),
        ("reason", "Too short.", "The reason has 10 characters; the policy asks for at least 40."),
        ("reason", " " * 50, "Please fill this in."),
        ("reason", "Disk\u202e full, writes are failing, customers cannot pay.", "invisible marks"),
        ("reason", "x" * 5000, "at most 4000"),
        ("reason", "x" * 1_000_000, "1,000,000 characters"),
        ("category", "", "Choose one."),
        ("intended_classes", [], "Choose at least one."),
        ("intended_classes", ["everything"], "Choose one of these."),
        ("incident_ref", "", "You must name an incident."),
        ("incident_ref", "INC\x00-1", "control characters"),
        ("minutes", "121", "At most 120."),
        ("minutes", "0", "At least 1."),
        ("minutes", "9" * 400, "At most 120."),
        ("minutes", "an hour", "Type a whole number."),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_the_rest_is_kept(
    world: World, field: str, typed: object, sentence: str
) -> None:
    answer = browser_of(world.ann).post("/requests/new/", SAID | {field: typed})
    said = text(answer.content)
    assert (answer.status_code, AccessRequest.objects.count()) == (422, 0)
    assert sentence in said
    assert "<title>Error: " in answer.content.decode()
    if field != "reason":
        assert REASON in said
    if field != "incident_ref":
        assert 'value="INC-1"' in answer.content.decode()


@pytest.mark.parametrize(
    "typed",
    ["<script>alert(1)</script>", "'; DROP TABLE portal_grant; --", '=HYPERLINK("x")', "{{ settings.SECRET_KEY }}"],
)
def test_hostile_words_are_inert(world: World, typed: str) -> None:
    browser = browser_of(world.ann)
    answer = browser.post("/requests/new/", SAID | {"reason": typed + REASON, "incident_ref": typed}, follow=True)
    page = answer.content.decode()
    assert typed in html.unescape(page)
    assert "<script>alert" not in page
    approver = browser_of(world.ines).get(answer.redirect_chain[0][0]).content.decode()
    assert typed in html.unescape(approver)
    assert "<script>alert" not in approver


def test_log_that_cannot_be_written_keeps_what_was_typed(world: World) -> None:
    browser = browser_of(world.ann)
    with broken_log():
        answer = browser.post("/requests/new/", SAID)
        bypass = browser.post("/requests/bypass/", SHORT)
    assert (answer.status_code, bypass.status_code, AccessRequest.objects.count()) == (503, 503, 0)
    assert "The log cannot be written, so nothing was done." in text(answer.content)
    assert REASON in text(answer.content)
    assert "Writes fail." in text(bypass.content)


def test_same_request_twice_is_one(world: World) -> None:
    browser = browser_of(world.ann)
    assert browser.post("/requests/new/", SAID).status_code == 302
    twice = browser.post("/requests/new/", SAID)
    assert (twice.status_code, "it is on your list" in text(twice.content)) == (409, True)
    assert REASON in text(twice.content)
    assert AccessRequest.objects.count() == 1


def test_twenty_at_once_are_enough_and_a_bypass_is_never_refused_for_it(world: World) -> None:
    other = two_systems(world)
    waiting = [request_of(world, reason=f"{REASON} Number {number}.") for number in range(19)]
    authorising.approve(by=actor(world.ines), request=waiting[0])  # it is authorised, and goes on
    request_of(world, reason=f"{REASON} The last.")
    with pytest.raises(RefusedByPolicy, match="20 requests for this system that wait or are open") as refusal:
        request_of(world, reason=f"{REASON} One more.")
    assert refusal.value.kind == "too many at once"
    with pytest.raises(RefusedByPolicy):
        request_of(world, mode="drill", criterion="", reason=f"{REASON} A drill.")
    request_of(other)  # another system
    request_of(world, "ben")  # another person
    authorising.bypass(by=actor(world.ann), privilege=world.privilege, asked=world.asked("bypass", reason="It burns."))
    AccessRequest.objects.filter(pk__in=[each.pk for each in waiting[1:3]]).update(lapses_at=now())
    request_of(world, reason=f"{REASON} One that takes a place that is free.")


@pytest.mark.parametrize("over", ["declined", "withdrawn", "lapsed", "revoked"])
def test_what_is_over_may_be_asked_again_with_the_same_words(world: World, over: str) -> None:
    first = request_of(world)
    match over:
        case "declined":
            actions.decline(by=actor(world.ines), request=first, comment="Not now.")
        case "withdrawn":
            actions.withdraw(by=actor(world.ann), request=first)
        case "lapsed":
            AccessRequest.objects.update(lapses_at=now())
            actions.lapse(by=process("sweep"), request=first)
        case "revoked":
            grant = authorising.approve(by=actor(world.ines), request=first)
            assert grant is not None
            with pytest.raises(ChangedMeanwhile):
                request_of(world)
            revoke(by=actor(world.mo), grant=grant, reason="Not needed.")
    again = request_of(world)
    assert (again.state, again.reason) == ("awaiting", first.reason)


def test_nobody_else_adds_what_a_bypass_owes(world: World) -> None:
    grant = authorising.bypass(
        by=actor(world.ann), privilege=world.privilege, asked=world.asked("bypass", incident_ref="")
    )
    with pytest.raises(NotAllowed, match=r"^Only the responder may add what a bypass owes\.$"):
        actions.supplement(by=actor(world.ben), request=grant.request, asked=world.asked())
    assert "request.supplemented" not in names_of(grant.request_id)


def test_policy_without_a_bypass_offers_none(world: World) -> None:
    narrow = Policy(modes=("approved",))
    PolicyVersion.objects.filter(pk=world.policy.pk).update(document=narrow.document(), sha256=narrow.sha256())
    browser = browser_of(world.ann)
    assert "Break the glass" not in text(browser.get("/requests/new/").content)
    assert "does not allow a bypass here" in text(browser.get("/requests/bypass/").content)
    assert "does not allow a bypass here" in text(browser.post("/requests/bypass/", SHORT).content)
    assert not Grant.objects.exists()


def test_too_few_approvers_are_named_before_the_form_is_sent(world: World) -> None:
    RoleAssignment.objects.filter(role="approver").update(to_at=world.policy.effective_from)
    browser = browser_of(world.ann)
    assert "There are not enough approvers at the moment" in text(browser.get("/requests/new/").content)
    answer = browser.post("/requests/new/", SAID)
    assert answer.status_code == 422
    assert REASON in text(answer.content)


@pytest.mark.parametrize("page", ["/requests/new/", "/requests/bypass/"])
def test_who_is_not_on_the_list_sees_nothing_and_is_refused_on_record(world: World, page: str) -> None:
    Eligibility.objects.filter(person=world.ben).update(to_at=world.policy.effective_from)
    for name in ("ben", "zoe", "ines", "otto"):
        browser = browser_of(world.people[name])
        address = f"{page}?privilege={world.privilege.pk}"
        assert browser.get(address).status_code == 404
        assert browser.post(address, SAID).status_code == 403
    assert not AccessRequest.objects.exists()


@pytest.mark.parametrize(
    "query",
    ["privilege=nonsense", f"privilege={uuid4()}", "from=nonsense", f"from={uuid4()}"],
    ids=["no privilege", "unknown privilege", "no request", "unknown request"],
)
def test_strange_addresses_lead_nowhere(world: World, query: str) -> None:
    assert browser_of(world.ann).get(f"/requests/new/?{query}").status_code == 404


def test_bypass_opens_within_the_request(world: World) -> None:
    with sealing():
        answer = browser_of(world.ann).post("/requests/bypass/", SHORT, follow=True)
    said = text(answer.content)
    assert Grant.objects.get().state == "active"
    assert (Grant.objects.get().minutes, AccessRequest.objects.get().mode) == (60, "bypass")
    for words in (
        "Bypass",
        "Show the password",
        "I am done",
        "You still owe something",
        "incident, intended actions, kind of trouble, a longer reason",
    ):
        assert words in said


def test_bypass_without_a_sealer_is_authorised_and_the_page_says_what_is_awaited(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.grants.permits.SEAL_PATIENCE_S", 0.2)
    said = text(browser_of(world.ann).post("/requests/bypass/", SHORT, follow=True).content)
    assert "It could not be opened yet. It is tried again." in said
    assert "The log is not being sealed" in said


def test_bypass_asks_for_the_second_factor_before_the_form_is_filled_in(world: World) -> None:
    browser = browser_of(world.ann)
    stale(world.ann)
    answer = browser.get(f"/requests/bypass/?privilege={world.privilege.pk}")
    assert answer.headers["Location"] == f"/step-up/?next=%2Frequests%2Fbypass%2F%3Fprivilege%3D{world.privilege.pk}"


def test_second_factor_that_grew_old_meanwhile_is_asked_with_the_input_kept(world: World) -> None:
    browser = browser_of(world.ann)
    stale(world.ann)
    said = SHORT | {"intended_classes": ["data_read", "data_change"], "reason": 'Writes "fail" & <b>hang</b>.\nStill.'}
    asked = browser.post(f"/requests/bypass/?privilege={world.privilege.pk}", said)
    assert asked.status_code == 200
    assert not Grant.objects.exists()
    kept = _hidden(asked.content)
    assert kept == [
        ("criterion", "outage"),
        ("reason", said["reason"]),
        ("intended_classes", "data_read"),
        ("intended_classes", "data_change"),
    ]
    wrong = _send_again(browser, asked.content, "000000")
    assert (wrong.status_code, _hidden(wrong.content)) == (422, kept)
    with sealing():
        assert _send_again(browser, wrong.content, code_of_device(world.ann)).status_code == 302
    assert AccessRequest.objects.get().intended_classes == ["data_read", "data_change"]
    assert Grant.objects.get().state == "active"


def test_earlier_request_fills_the_form_in(world: World) -> None:
    request = request_of(world, "ann")
    for page in ("/requests/new/", "/requests/bypass/"):
        shown = browser_of(world.ann).get(f"{page}?from={request.pk}").content.decode()
        assert REASON in html.unescape(shown)
        assert re.search(r'value="outage"[^>]*checked', shown)
        assert 'value="INC-1"' in shown
        assert 'value="30"' in shown
    assert browser_of(world.ben).get(f"/requests/new/?from={request.pk}").status_code == 404


def test_bypass_from_a_waiting_request_withdraws_it(world: World) -> None:
    request = request_of(world, "ann")
    with sealing():
        answer = browser_of(world.ann).post(f"/requests/bypass/?from={request.pk}", SHORT, follow=True)
    assert "Your earlier request is withdrawn" in text(answer.content)


def test_end_is_told_for_the_minutes_typed(world: World) -> None:
    browser = browser_of(world.ann)
    line = f"/requests/ends/?privilege={world.privilege.pk}"
    assert re.match(r"Opened now, it ends at \d", text(browser.get(f"{line}&minutes=15").content))
    for typed in ("", "0", "-5", "1e9", "99999999999", "²"):
        assert (
            text(browser.get(f"{line}&{urlencode({'minutes': typed})}").content)
            == "Type a number of minutes to see the end."
        )


def test_what_a_bypass_owed_is_given_once(world: World) -> None:
    browser = browser_of(world.ann)
    with sealing():
        browser.post("/requests/bypass/", SHORT)
    request = AccessRequest.objects.get()
    page = f"/requests/{request.pk}/supplement/"
    assert browser.get(page).status_code == 200
    assert browser.post(page, {"incident_ref": "INC-9", "reason": ""}).status_code == 302
    said = text(browser.get(f"/requests/{request.pk}/").content)
    assert "Left out: intended actions, kind of trouble, a longer reason." in said
    assert "Given later Incident: INC-9." in said
    left = {"category": "availability", "intended_classes": ["data_read"], "reason": REASON, "incident_ref": "INC-666"}
    assert browser.post(page, left).status_code == 302
    request.refresh_from_db()
    assert (request.incident_ref, request.category, request.reason) == ("INC-9", "availability", "Writes fail.")
    said = text(browser.get(f"/requests/{request.pk}/").content)
    assert "You still owe" not in said
    assert f"Given later {REASON} Kind of trouble: Something is down or failing. Intended actions: Read data." in said
    assert names_of(request.pk).count("request.supplemented") == 2
    assert browser.post(page, left).status_code == 302, "nothing is owed: back to the page"
    assert names_of(request.pk).count("request.supplemented") == 2


def test_supplement_is_the_responders_alone(world: World) -> None:
    with sealing():
        browser_of(world.ann).post("/requests/bypass/", SHORT)
    page = f"/requests/{AccessRequest.objects.get().pk}/supplement/"
    for name in ("ben", "ines", "mo", "zoe"):
        browser = browser_of(world.people[name])
        assert (browser.get(page).status_code, browser.post(page, {"incident_ref": "INC-9"}).status_code) == (404, 403)


def _hidden(page: bytes) -> list[tuple[str, str]]:
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page.decode())
    return [(name, html.unescape(value)) for name, value in found if name != "csrfmiddlewaretoken"]


def _send_again(browser: Client, page: bytes, code: str) -> Any:
    action = re.search(r'<form method="post" action="(/requests/[^"]+)"', page.decode())
    assert action
    data: dict[str, list[str]] = {}
    for name, value in _hidden(page):
        data.setdefault(name, []).append(value)
    return browser.post(html.unescape(action[1]), {**data, "code": code})
