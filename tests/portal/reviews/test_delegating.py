"""A reviewer on leave names who stands in: what is theirs goes over, never to somebody with a part in the use, never on, never in a circle."""

from datetime import timedelta
from typing import Any

import pytest

from audit.log.append import LogUnavailable
from audit.log.read import of_subject
from portal.clock import now
from portal.eligibility.models import RoleAssignment
from portal.errors import ChangedMeanwhile, NotAllowed, RefusedByPolicy, StepUpNeeded
from portal.notifications.models import Alert
from portal.people.models import Person
from portal.reviews import actions, delegating, sweep
from portal.reviews.judging import kept
from portal.reviews.models import Delegation, Review
from tests.browsing import browser_of
from tests.portal.reviews.used import FINE, due, events_of, taken
from tests.worlds import World, actor, make_world

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)


@pytest.fixture
def world() -> World:
    """Kim and Lea review, and so does Noa."""
    made = make_world()
    made.people["noa"] = Person.objects.create(name="Noa", email="noa@example.org", added_at=now())
    _reviews(made, "noa")
    return made


def _reviews(world: World, name: str, **changes: Any) -> None:
    ago = now() - DAY
    RoleAssignment._base_manager.create(**{
        "person": world.people[name], "role": "reviewer", "system": world.system, "proposed_by": world.pia, "approved_by": world.quinn,
        "proposed_at": ago, "approved_at": ago, "from_at": ago, **changes,
    })  # fmt: skip


def away(world: World, who: str = "kim", to: str = "lea", *, begins: float = 0, days: float = 7) -> Delegation:
    begun = now() + begins * DAY
    return delegating.delegate(
        by=actor(world.people[who]), to=world.people[to], system=world.system, from_at=begun, to_at=begun + days * DAY
    )


def holder(review: Review) -> str:
    row = Review.objects.select_related("reviewer", "second_reviewer").get(pk=review.pk)
    return row.holder.name if row.holder else ""


def test_what_is_theirs_goes_to_who_stands_in_with_its_answers(world: World) -> None:
    review = taken(world)
    actions.save(by=actor(world.kim), review=review, answers=FINE)
    made = away(world, begins=1)
    assert (sweep.run_due(), holder(review)) == (0, "Kim")
    Delegation.objects.filter(pk=made.pk).update(from_at=now())
    assert (sweep.run_due(), sweep.run_due(), holder(review)) == (1, 0, "Lea")
    review.refresh_from_db()
    assert review.answers == kept(FINE)
    event = events_of(review)[-1]
    assert (event.name, event.by, event.fields["to_id"], event.fields["delegated_by"]) == (
        "review.handed_over", "process:sweep", str(world.lea.pk), str(world.kim.pk),
    )  # fmt: skip
    (told,) = of_subject(made.log_subject, ["review.delegation_set"])
    assert (told.by, told.fields["to_id"], told.fields["system_id"]) == (
        str(world.kim.pk),
        str(world.lea.pk),
        str(world.system.pk),
    )
    actions.submit(by=actor(world.lea), review=review, answers=FINE, outcome="accepted")


def test_the_other_one_is_told(world: World) -> None:
    made = away(world)
    delegating.take_back(by=actor(world.kim), delegation=made)
    delegating.take_back(by=actor(world.lea), delegation=away(world))
    told = [(each.kind, each.recipient) for each in Alert.objects.filter(about=made.log_subject).order_by("kind")]
    assert told == [("review.stand_in", world.lea), ("review.stand_in_over", world.lea)]
    assert Alert.objects.get(kind="review.stand_in_over", recipient=world.kim).facts["stopped_by"] == "Lea"


def test_second_look_goes_over_too_and_never_to_the_first_reviewer(world: World) -> None:
    from tests.portal.reviews.test_second import second_taken

    review = second_taken(world)  # Kim judged, Lea has the second look
    made = away(world, "lea", "kim")
    sweep.run_due()
    assert (holder(review), Review.objects.get(pk=review.pk).state) == ("", "second_due")
    delegating.take_back(by=actor(world.lea), delegation=made)
    actions.claim(by=actor(world.lea), review=review)
    away(world, "lea", "noa")
    sweep.run_due()
    assert holder(review) == "Noa"


def test_who_had_a_part_in_the_use_never_gets_it(world: World) -> None:
    review = taken(world)
    review.request.approvals.create(approver=world.lea, decision="approve", decided_at=now())
    away(world)
    sweep.run_due()
    assert (holder(review), Review.objects.get(pk=review.pk).state) == ("", "due")
    event = events_of(review)[-1]
    assert (event.fields.get("to_id"), event.fields["delegated_by"]) == (None, str(world.kim.pk))


def test_who_is_away_gets_nothing_by_name_by_turn_or_by_taking(world: World) -> None:
    away(world)
    review = taken(world, "lea")
    with pytest.raises(NotAllowed, match="may not review"):  # Lea herself stands in for Kim
        actions.pass_on(by=actor(world.lea), review=review, to=world.kim)
    other = taken(world, "noa", by="ben")
    actions.pass_on(by=actor(world.people["noa"]), review=other, to=world.kim)
    assert holder(other) == "Lea"
    assert events_of(other)[-1].fields["delegated_by"] == str(world.kim.pk)
    waiting = due(world)
    with pytest.raises(NotAllowed, match="stands in for you"):
        actions.claim(by=actor(world.kim), review=waiting)
    Review.objects.filter(pk=waiting.pk).update(due_at=now() - timedelta(minutes=1))
    sweep.run_due()
    assert holder(waiting) == "Noa"  # Lea has two


def test_nothing_goes_over_once_it_is_taken_back_or_over(world: World) -> None:
    made = away(world)
    delegating.take_back(by=actor(world.kim), delegation=made)
    review = taken(world)
    assert (sweep.run_due(), holder(review)) == (0, "Kim")
    later = away(world)
    Delegation.objects.filter(pk=later.pk).update(from_at=now() - 2 * DAY, to_at=now() - DAY)
    assert (sweep.run_due(), holder(review)) == (0, "Kim")
    with pytest.raises(ChangedMeanwhile):
        delegating.take_back(by=actor(world.kim), delegation=made)


@pytest.mark.parametrize(
    ("name", "may"), [("kim", True), ("lea", True), ("noa", False), ("pia", False), ("zoe", False)]
)
def test_who_is_away_and_who_stands_in_end_it(world: World, name: str, *, may: bool) -> None:
    made = away(world)
    if may:
        assert delegating.take_back(by=actor(world.people[name]), delegation=made).ended_at is not None
        assert of_subject(made.log_subject)[-1].name == "review.delegation_ended"
        return
    with pytest.raises(NotAllowed):
        delegating.take_back(by=actor(world.people[name]), delegation=made)
    assert Delegation.objects.get().ended_at is None


@pytest.mark.parametrize("name", ["ann", "ines", "mo", "otto", "zoe"])
def test_only_a_reviewer_names_somebody(world: World, name: str) -> None:
    with pytest.raises(NotAllowed):
        away(world, name)
    assert not Delegation.objects.exists()


@pytest.mark.parametrize("to", ["ann", "ines", "mo", "zoe", "kim"])
def test_only_another_reviewer_is_named(world: World, to: str) -> None:
    with pytest.raises(RefusedByPolicy):
        away(world, "kim", to)
    assert not Delegation.objects.exists()


def test_role_lasts_as_long_as_the_leave(world: World) -> None:
    RoleAssignment._base_manager.filter(person=world.lea, role="reviewer").update(to_at=now() + 3 * DAY)
    away(world, days=2)
    with pytest.raises(RefusedByPolicy, match="for all of these days"):
        away(world, "noa", "lea", days=4)


@pytest.mark.parametrize(
    ("who", "to", "kind"),
    [
        ("kim", "noa", "doubled"),
        ("lea", "noa", "chain of delegations"),
        ("lea", "kim", "circle of delegations"),
        ("noa", "kim", "circle of delegations"),
    ],
)
def test_no_doubles_chains_or_circles_in_the_same_days(world: World, who: str, to: str, kind: str) -> None:
    away(world, "kim", "lea")
    with pytest.raises(RefusedByPolicy) as refusal:
        away(world, who, to, begins=6)
    assert refusal.value.kind == kind
    assert away(world, who, to, begins=8).pk is not None


def test_naming_needs_a_fresh_second_factor(world: World) -> None:
    with pytest.raises(StepUpNeeded):
        delegating.delegate(
            by=actor(world.kim, age_s=16 * 60), to=world.lea, system=world.system, from_at=now(), to_at=now() + DAY
        )


def test_nothing_changes_when_the_log_cannot_be_written(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    review, made = taken(world), away(world, begins=0)

    def broken(*_args: object, **_given: object) -> None:
        raise LogUnavailable("The log cannot be written.")

    monkeypatch.setattr("portal.reviews.delegating.append", broken)
    monkeypatch.setattr("portal.reviews.actions.append", broken)
    for act in (
        lambda: away(world, "noa", "lea"),
        lambda: delegating.take_back(by=actor(world.kim), delegation=made),
        lambda: delegating.hand_to_stand_in(by=sweep.SWEEP, review=review),
    ):
        with pytest.raises(LogUnavailable):
            act()
    assert (Delegation.objects.count(), Delegation.objects.get().ended_at, holder(review)) == (1, None, "Kim")


def test_pages_name_show_and_end_it(world: World) -> None:
    review, kim, lea = taken(world), browser_of(world.kim), browser_of(world.lea)
    assert browser_of(world.ann).get("/reviews/away/").status_code == 403
    sent = {"person": world.lea.pk, "system": world.system.pk, "to_at": f"{now() + DAY:%Y-%m-%dT%H:%M}"}
    refused = kim.post("/reviews/away/", sent | {"person": world.people["noa"].pk, "to_at": ""})
    assert (refused.status_code, set(refused.context["form"].errors)) == (422, {"to_at"})
    assert kim.post("/reviews/away/", sent).status_code == 302
    made = Delegation.objects.get()
    assert "Lea for Kim" in lea.get("/reviews/away/").content.decode()
    assert "Lea stands in for Kim until" in kim.get(f"/reviews/{review.pk}/").content.decode()
    assert browser_of(world.mo).post(f"/reviews/away/{made.pk}/back/").status_code == 403
    assert kim.post(f"/reviews/away/{made.pk}/back/").status_code == 302
    assert "stands in for Kim" not in kim.get(f"/reviews/{review.pk}/").content.decode()
