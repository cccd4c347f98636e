"""An alert was before its recipient: noted by pages of the portal alone, once, and it is not what they say about it."""

import pytest
from django.db import IntegrityError
from django.test import Client

from audit.log.read import named, of_case
from portal.access_requests.sweep import pass_on_due
from portal.clock import now
from portal.eligibility import resetting
from portal.eligibility.models import RoleAssignment
from portal.errors import ChangedMeanwhile
from portal.notifications.actions import note_seen
from portal.notifications.channels.webhook import actions as receivers
from portal.notifications.links import token_of
from portal.notifications.models import Alert
from portal.notifications.queries import alerts_of_case
from portal.sealed.models import CARDS
from tests.at_once import at_once
from tests.browsing import browser_of
from tests.factories import broken_log, enrol
from tests.portal.access_requests.test_asking import text
from tests.portal.access_requests.test_tiers import MINUTE, in_tiers
from tests.portal.notifications.conftest import queue
from tests.portal.reviews.test_offline_reviews import declared
from tests.portal.sealed.vault import make_vault
from tests.worlds import World, actor, request_of, sealing


def looks() -> list[tuple[str, str]]:
    """Who had which alert before them, by the log."""
    return [(event.by, event.fields["alert_id"]) for event in named(["alert.seen"])]


def test_page_that_an_alert_leads_to_notes_it_once_for_its_recipient_alone(world: World) -> None:
    request = request_of(world)
    page = f"/requests/{request.pk}/"
    mine = Alert.objects.get(recipient=world.ines, kind="request.asked")
    for name in ("mo", "kim"):
        browser_of(world.people[name]).get(page)
    assert looks() == []
    ines = browser_of(world.ines)
    assert [ines.get(page).status_code for _ in range(2)] == [200, 200]
    assert looks() == [(str(world.ines.pk), str(mine.pk))]
    (event,) = of_case(request.pk, ["alert.seen"])
    assert (event.subject, event.fields["recipient_id"]) == (mine.log_subject, str(world.ines.pk))
    mine.refresh_from_db()
    assert (mine.seen_at is not None, mine.acknowledged_at) == (True, None)
    assert {line.state for line in alerts_of_case(request.pk) if line.recipient == "Ines"} == {"looked_at"}


def test_responder_sees_that_somebody_looked_and_the_next_tier_is_told_all_the_same(world: World) -> None:
    in_tiers(world, ("ines", 5))
    request = request_of(world)
    browser_of(world.ines).get(f"/requests/{request.pk}/")
    shown = text(browser_of(world.ann).get(f"/requests/{request.pk}/").content)
    assert "Looked at it" in shown
    assert "Nobody has seen it yet." in shown
    assert pass_on_due(request.requested_at + 6 * MINUTE) == 1
    assert Alert.objects.filter(kind="request.asked", recipient=world.jon).exists()


def test_signed_link_and_its_button_are_no_look(world: World) -> None:
    (alert,) = queue(world, "ines")
    for browser in (Client(), browser_of(world.ines)):
        assert browser.get(f"/alerts/seen/{token_of(alert)}/").status_code == 200
        assert browser.head(f"/alerts/seen/{token_of(alert)}/").status_code == 200
    Client().post(f"/alerts/seen/{token_of(alert)}/")
    alert.refresh_from_db()
    assert (alert.seen_at, alert.acknowledged_at is not None, looks()) == (None, True, [])


def test_list_of_alerts_shows_them_and_notes_those_that_it_shows(world: World) -> None:
    first, second = queue(world, "ines")[0], queue(world, "ines")[0]
    queue(world, "jon")
    ines = browser_of(world.ines)
    ines.get("/alerts/")
    ines.get("/alerts/")
    assert sorted(looks()) == sorted((str(world.ines.pk), str(each.pk)) for each in (first, second))


def test_each_page_that_an_alert_may_lead_to_notes_it_for_whoever_is_shown_it(world: World) -> None:
    RoleAssignment.objects.filter(person=world.pia, role="administrator").update(system=None)
    enrol(world.jon)
    reset = resetting.propose(by=actor(world.pia), person=world.jon, reason="The phone is gone.")
    with sealing():
        vault = make_vault(CARDS, world=world)
        review = declared(vault)
    held = RoleAssignment.objects.filter(person=world.kim, role="reviewer")
    held.update(person=world.pia, proposed_by=world.quinn, approved_by=world.mo)
    receiver, _ = receivers.add(by=actor(world.pia), name="Pager", url="https://hooks.pager.example/x", topics=["use"])
    common = ("/drills/", "/campaigns/", "/me/sign-ins/", f"/policies/{world.system.pk}/")
    guarded = (
        "/status/", f"/people/{world.kim.pk}/", f"/resets/{reset.pk}/", f"/receivers/{receiver.pk}/", "/reviews/away/",
        f"/reviews/{review.pk}/",
    )  # fmt: skip
    Alert.objects.all().delete()
    for path in common + guarded:
        for alert in queue(world, "pia", "ann"):
            Alert.objects.filter(pk=alert.pk).update(path=path)
    for who, statuses in (("pia", {200}), ("ann", {403, 404})):
        browser = browser_of(world.people[who])
        assert {browser.get(path).status_code for path in guarded} == statuses
        assert {browser.get(path).status_code for path in common} == {200}
    seen = Alert.objects.filter(seen_at__isnull=False).values_list("recipient__name", "path")
    assert sorted(seen) == sorted([*(("Pia", path) for path in common + guarded), *(("Ann", path) for path in common)])


def test_page_of_a_sealed_account_notes_the_alert_that_led_there(world: World) -> None:
    with sealing():
        vault = make_vault(world=world)
    (alert,) = queue(world, "cleo")
    Alert.objects.filter(pk=alert.pk).update(path=f"/sealed/{vault.account.pk}/")
    assert browser_of(vault.cleo).get(f"/sealed/{vault.account.pk}/").status_code == 200
    assert (str(vault.cleo.pk), str(alert.pk)) in looks()


def test_page_of_a_case_notes_the_alert_that_led_there_for_whoever_is_shown_it(world: World) -> None:
    request = request_of(world)
    path = f"/cases/{request.pk}/"
    for alert in queue(world, "ann", "zoe"):
        Alert.objects.filter(pk=alert.pk).update(path=path)
    ann, zoe = browser_of(world.ann), browser_of(world.zoe)
    with broken_log():
        assert ann.get(path).status_code == 503
    assert [each.get(path).status_code for each in (ann, zoe)] == [200, 404]
    assert [by for by, _ in looks()] == [str(world.ann.pk)]


def test_status_is_shown_while_the_log_is_down_whatever_leads_there(world: World) -> None:
    (alert,) = queue(world, "pia")
    Alert.objects.filter(pk=alert.pk).update(path="/status/")
    pia = browser_of(world.pia)
    with broken_log():
        assert pia.get("/status/").status_code == 200
    assert looks() == []


def test_fifty_tabs_at_once_note_it_once(world: World) -> None:
    (alert,) = queue(world, "ines")
    outcomes = at_once(50, lambda: note_seen(by=actor(world.ines), alerts=[alert]))
    assert sorted(type(each).__name__ for each in outcomes) == ["ChangedMeanwhile"] * 49 + ["int"]
    assert len(looks()) == 1


def test_alert_of_another_is_never_noted(world: World) -> None:
    (alert,) = queue(world, "ines")
    with pytest.raises(ChangedMeanwhile):
        note_seen(by=actor(world.jon), alerts=[alert])
    with pytest.raises(IntegrityError):
        Alert.objects.filter(pk=queue(world, addresses=["security@breakglass.example"])[0].pk).update(seen_at=now())


def test_nothing_is_noted_and_nothing_shown_where_the_log_does_not_take_it(world: World) -> None:
    (alert,) = queue(world, "ines")
    ines = browser_of(world.ines)
    with broken_log():
        assert ines.get("/alerts/").status_code == 503
    alert.refresh_from_db()
    assert alert.seen_at is None
