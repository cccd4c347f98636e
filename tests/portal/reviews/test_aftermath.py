"""After a use its changes go back into change control, and somebody decides on privacy: who, when, why, and by when a breach is told."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from audit.facts.fold import fold_entry
from audit.facts.fold.state import Facts
from audit.log.append import LogUnavailable
from audit.log.read import follow, size
from portal.clock import ms, now
from portal.errors import ChangedMeanwhile, NotAllowed, Refused, RefusedByPolicy, WrongState
from portal.reviews import aftermath
from portal.reviews.models import ChangeRecord, PrivacyDecision, Review
from portal.reviews.questions import questions
from portal.systems.models import System
from tests.at_once import at_once
from tests.audit.cases.written import Did, do
from tests.browsing import browser_of
from tests.factories import broken_log
from tests.portal.reviews.used import FINE, due, events_of, follow_all, grant_of, taken
from tests.worlds import World, actor, make_world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> World:
    return make_world()


def changed(world: World) -> tuple[Review, list[str]]:
    """A use with two changes and something that was read."""
    review = taken(world)
    ids = do(grant_of(review), [Did("SELECT 1"), Did("UPDATE a", "data_change"), Did("DROP TABLE a", "schema_change")])
    follow_all()
    return review, ids


def test_nobody_says_that_every_change_is_recorded_where_no_record_is_named(world: World) -> None:
    review, _ = changed(world)
    do(grant_of(review), [Did("ALTER SYSTEM SET a = 1", "config_change", outcome="denied")])
    kim, address = browser_of(world.kim), f"/reviews/{review.pk}/submit/"
    sent = {each.id: FINE[each.id]["answer"] for each in questions()} | {"outcome": "accepted", "stated": "on"}
    answer = kim.post(address, sent)
    (sentence,) = answer.context["form"].errors["Q08"]
    assert (answer.status_code, "that holds the changes of data and structure. Name it" in sentence) == (422, True)
    record(review, world, kinds=["data_change"])
    assert "that holds the changes of structure. Name it" in kim.post(address, sent).content.decode()
    unsure = {"Q08": "unsure", "Q08_comment": "Change control was closed.", "outcome": "accepted_with_findings"}
    assert "Q08" not in kim.post(address, sent | unsure | {"stated": ""}).context["form"].errors
    record(review, world, reference="CHG-2", kinds=["schema_change"])
    assert kim.post(address, sent).status_code == 302


def record(review: Review, world: World, by: str = "kim", **changes: Any) -> ChangeRecord:
    said = {
        "reference": "CHG-1",
        "raised_at": now() - timedelta(hours=1),
        "disposition": "kept",
        "approved_by": world.jon,
        "upto": size() - 1,
    }
    return aftermath.record_change(by=actor(world.people[by]), review=review, **{**said, **changes})


def facts() -> Facts:
    follow_all()
    found = Facts()
    for entry in follow(0, limit=10_000):
        found.begin(entry, damaged=False)
        fold_entry(found, entry)
    return found


def test_change_record_holds_the_changes_that_were_there_and_no_other(world: World) -> None:
    review, ids = changed(world)
    kept = record(review, world, "mo")
    do(grant_of(review), [Did("DROP TABLE later", "schema_change")], session="6741a0.3c00")
    assert kept.count == 2
    folded = facts()
    assert folded.rows["change_records"] == {
        str(kept.pk): {"raised_at": ms(kept.raised_at), "approved_by": str(world.jon.pk), "disposition": "kept"}
    }
    assert {row["activity_id"] for row in folded.rows["change_links"].values()} == set(ids[1:])


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"reference": " "}, RefusedByPolicy),
        ({"disposition": "gone"}, RefusedByPolicy),
        ({"kinds": []}, RefusedByPolicy),
        ({"kinds": ["data_read"]}, RefusedByPolicy),
        ({"kinds": ["permission_change"]}, RefusedByPolicy),
        ({"upto": 0}, RefusedByPolicy),
        ({"raised_at": now() + timedelta(days=1)}, RefusedByPolicy),
        ({"approved_by": "ann"}, RefusedByPolicy),
        ({"by": "ann"}, NotAllowed),
        ({"by": "ines"}, NotAllowed),
        ({"by": "zoe"}, NotAllowed),
        ({"by": "otto"}, NotAllowed),
    ],
)
def test_change_record_that_cannot_be_is_refused_and_on_record(
    world: World, changes: dict[str, Any], error: type[Refused]
) -> None:
    review, _ = changed(world)
    if changes.get("approved_by"):
        changes = {"approved_by": world.people[changes["approved_by"]]}
    with pytest.raises(error):
        record(review, world, **changes)
    assert (ChangeRecord.objects.count(), events_of(review)[-1].name) == (0, "review.act_refused")


def test_privacy_is_decided_in_time_told_in_time_and_says_why(world: World) -> None:
    review = due(world)
    kim, known = actor(world.kim), now() - timedelta(hours=80)
    aftermath.decide_privacy(by=kim, review=review, breach=False, reason="Only totals were read.")
    later = aftermath.decide_privacy(
        by=actor(world.mo), review=review, breach=True, reason="Names were read.", aware_at=known
    )
    assert later.notice_due_at == known + timedelta(hours=72)
    assert later.notice_late
    with pytest.raises(RefusedByPolicy, match="say why"):
        aftermath.record_notice(by=kim, review=review, notified_at=now())
    told = now() - timedelta(minutes=1)
    aftermath.record_notice(by=kim, review=review, notified_at=told, delay_reason="Nobody was reached.")
    with pytest.raises(ChangedMeanwhile):
        aftermath.record_notice(by=kim, review=review, notified_at=now(), delay_reason="Again.")
    with pytest.raises(WrongState):
        aftermath.decide_privacy(by=kim, review=review, breach=False, reason="Otherwise.")
    (event, _) = events_of(review, "privacy.decided")
    assert facts().rows["triages"] == {
        str(review.grant_id): {
            "decided_at": event.at, "reason_given": 1, "breach": 1, "risk_unlikely": 0, "aware_at": ms(known), "notified_at": ms(told),
            "delay_reason_given": 1,
        }
    }  # fmt: skip
    assert (event.personal["reason"], "reason" in event.fields) == ("Only totals were read.", False)


PRIVACY: list[tuple[str, dict[str, Any], type[Refused]]] = [
    ("kim", {"reason": " "}, RefusedByPolicy),
    ("kim", {"breach": True, "aware_at": now() + timedelta(days=1)}, RefusedByPolicy),
    ("ann", {}, NotAllowed),
    ("ines", {}, NotAllowed),
    ("pia", {}, NotAllowed),
    ("zoe", {}, NotAllowed),
]


def test_privacy_decision_that_cannot_be_is_refused(world: World) -> None:
    review = due(world)
    for name, changes, error in PRIVACY:
        with pytest.raises(error):
            aftermath.decide_privacy(
                by=actor(world.people[name]), review=review, **{"breach": False, "reason": "None.", **changes}
            )
    with pytest.raises(WrongState):
        aftermath.record_notice(by=actor(world.kim), review=review, notified_at=now())
    assert PrivacyDecision.objects.count() == 0
    assert {event.name for event in events_of(review)[1:]} == {"review.act_refused"}


@pytest.mark.parametrize("personal", [True, False])
def test_page_says_until_when_somebody_decides_on_personal_data(world: World, personal: bool) -> None:
    review = due(world)
    System.objects.filter(pk=world.system.pk).update(personal_data=personal)
    until = aftermath.decision_due(review)
    assert until is not None
    page = browser_of(world.kim).get(f"/reviews/{review.pk}/after/").content.decode()
    said = page.split("somebody decides until")[1].split("</p>")[0] if "somebody decides until" in page else ""
    assert (f"{until:%-d %b %Y, %H:%M}" in said) == personal
    aftermath.decide_privacy(by=actor(world.kim), review=review, breach=False, reason="None.")
    assert events_of(review, "privacy.decided")[0].fields["due_at"] == ms(until)


def test_a_breach_without_risk_needs_no_notice(world: World) -> None:
    found = aftermath.decide_privacy(
        by=actor(world.kim), review=due(world), breach=True, risk_unlikely=True, reason="Encrypted."
    )
    assert (found.notice_due_at, found.notice_late, found.aware_at is None) == (None, False, False)


def test_of_fifty_at_once_one_names_the_record(world: World) -> None:
    review, _ = changed(world)
    got = at_once(50, lambda: record(review, world))
    assert [sum(isinstance(each, kind) for each in got) for kind in (ChangeRecord, ChangedMeanwhile)] == [1, 49]


def test_nothing_is_kept_that_the_log_does_not_hold(world: World) -> None:
    review, _ = changed(world)
    acts: tuple[Callable[[], object], ...] = (
        lambda: record(review, world),
        lambda: aftermath.decide_privacy(by=actor(world.kim), review=review, breach=False, reason="None."),
    )
    with broken_log():
        for act in acts:
            with pytest.raises(LogUnavailable):
                act()
    assert (ChangeRecord.objects.count(), PrivacyDecision.objects.count()) == (0, 0)


def test_way_through_the_page(world: World) -> None:
    review, _ = changed(world)
    kim, address = browser_of(world.kim), f"/reviews/{review.pk}"
    form = {
        "reference": "CHG-7",
        "raised_at": "2026-01-01T10:00",
        "disposition": "rolled_back",
        "kinds": ["schema_change"],
    }
    back = kim.post(f"{address}/change/", {**form, "reference": ""})
    assert (back.status_code, back.context["forms"]["change"]["disposition"].value()) == (422, "rolled_back")
    assert kim.post(f"{address}/change/", form).status_code == 302
    known = (now() - timedelta(hours=2)).replace(second=0, microsecond=0)
    breach = {"finding": "breach", "reason": "Names were read.", "aware_at": known.strftime("%Y-%m-%dT%H:%M")}
    assert kim.post(f"{address}/privacy/", breach).status_code == 302
    page = kim.get(f"{address}/after/").content.decode()
    until = f"{known + timedelta(hours=72):%-d %b %Y, %H:%M}"
    assert until in page.split("To be notified until")[1].split("</div>")[0]
    told = {"notified_at": (known + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M")}
    assert kim.post(f"{address}/notice/", {"notified_at": "2026-01-01T10:00"}).status_code == 422
    assert kim.post(f"{address}/notice/", told).status_code == 302
    page = kim.get(f"{address}/after/").content.decode()
    assert ("CHG-7" in page, "Names were read." in page, "Rolled back" in page) == (True, True, True)
    assert "CHG-7 (rolled back)" in kim.get(f"{address}/").content.decode()
    seen = browser_of(world.otto).get(f"{address}/after/")
    assert (seen.status_code, seen.context["forms"]) == (200, {})
