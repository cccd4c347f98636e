"""Reviews: taken, given away, late, judged once and twice; who stands in; what is accepted, and what a use leaves to be done."""

from datetime import timedelta

from audit.log.append import process
from audit.log.read import of_subject, size
from portal.clock import now
from portal.eligibility.models import RoleAssignment
from portal.reviews import accepting, actions, aftermath, delegating, late, second
from portal.reviews.models import Acceptance, ChangeRecord, Delegation, PrivacyDecision, Review
from tests.audit.cases.written import Did, do
from tests.faults.races.racing import Raced, Said, does, race
from tests.portal.reviews.test_reviews import worse
from tests.portal.reviews.used import FINE, due, follow_all, grant_of, taken
from tests.worlds import World, actor

SWEEP = process("reviews")
GRAVE = worse(Q01=("no", "It could wait."), Q04=("no", "Twice as long as needed."))


def _has(review: Review) -> tuple[str, str]:
    row = Review.objects.get(pk=review.pk)
    return row.state, row.holder.name if row.holder else ""


@race(actions.claim)
def a_review_waits(world: World) -> Raced:
    row = due(world)
    return Raced(
        [
            does(actions.claim, by=actor(who), review=row, called=who.name, wrote=["review.claimed"])
            for who in (world.kim, world.lea)
        ],
        lambda: _has(row),
        {("Kim",): ("claimed", "Kim"), ("Lea",): ("claimed", "Lea")},
    )


@race(actions.hand_over, actions.pass_on, actions.submit)
def a_review_is_given_away_or_submitted(world: World) -> Raced:
    row, wrote = taken(world), ["review.handed_over"]
    by = actor(world.kim)
    return Raced(
        [
            does(actions.submit, by=by, review=row, answers=FINE, outcome="accepted", wrote=["review.submitted"]),
            does(actions.hand_over, by=by, review=row, wrote=wrote),
            does(actions.pass_on, by=by, review=row, to=world.lea, wrote=wrote),
        ],
        lambda: _has(row),
        {("submit",): ("submitted", "Kim"), ("hand_over",): ("due", ""), ("pass_on",): ("claimed", "Lea")},
    )


@race(late.give_next, actions.submit)
def a_review_is_late(world: World) -> Raced:
    row = taken(world)
    Review.objects.filter(pk=row.pk).update(due_at=now() - timedelta(minutes=1))
    said: Said = {"review": row, "answers": FINE, "outcome": "accepted"}
    return Raced(
        [
            does(late.give_next, by=SWEEP, review=row, wrote=["review.given_next"]),
            does(actions.submit, by=actor(world.kim), **said, wrote=["review.submitted"]),
        ],
        lambda: _has(row),
        {("give_next",): ("claimed", "Lea"), ("submit",): ("submitted", "Kim")},
    )


@race(late.take_back, actions.hand_over)
def a_review_whose_reviewer_lost_the_role(world: World) -> Raced:
    row, wrote = taken(world), ["review.handed_over"]
    RoleAssignment.objects.filter(person=world.kim).update(to_at=now() - timedelta(minutes=1))
    return Raced(
        [
            does(late.take_back, by=SWEEP, review=row, wrote=wrote),
            does(actions.hand_over, by=actor(world.kim), review=row, wrote=wrote),
        ],
        lambda: _has(row),
        {("hand_over",): ("due", ""), ("take_back",): ("due", "")},
    )


@race(actions.remind)
def two_sweeps_remind_of_a_use(world: World) -> Raced:
    row = due(world)
    return Raced(
        [does(actions.remind, by=SWEEP, review=row, mark="before")],
        lambda: Review.objects.get().reminded,
        {("remind",): ["before"]},
    )


@race(actions.claim)
def a_second_look_waits(world: World) -> Raced:
    RoleAssignment.objects.filter(person=world.jon).update(role="reviewer")
    row = actions.submit(by=actor(world.kim), review=taken(world), answers=GRAVE, outcome="not_accepted")
    return Raced(
        [
            does(actions.claim, by=actor(who), review=row, called=who.name, wrote=["review.second_claimed"])
            for who in (world.jon, world.lea)
        ],
        lambda: _has(row),
        {("Jon",): ("second_claimed", "Jon"), ("Lea",): ("second_claimed", "Lea")},
    )


@race(second.submit_second, actions.hand_over)
def a_second_look_is_taken(world: World) -> Raced:
    row = actions.submit(by=actor(world.kim), review=taken(world), answers=GRAVE, outcome="not_accepted")
    row = actions.claim(by=actor(world.lea), review=row)
    says = [
        does(
            second.submit_second,
            by=actor(world.lea),
            review=row,
            agrees=agrees,
            words="I read the same.",
            called=called,
        )
        for agrees, called in ((True, "agrees"), (False, "disagrees"))
    ]
    return Raced(
        [*says, does(actions.hand_over, by=actor(world.lea), review=row, wrote=["review.second_handed_over"])],
        lambda: (_has(row)[0], Review.objects.get().second_agrees),
        {("agrees",): ("submitted", True), ("disagrees",): ("submitted", False), ("hand_over",): ("second_due", None)},
    )  # fmt: skip


@race(delegating.delegate)
def two_name_each_other(world: World) -> Raced:
    days: Said = {"system": world.system, "from_at": now(), "to_at": now() + timedelta(days=3)}
    return Raced(
        [
            does(delegating.delegate, by=actor(world.kim), to=world.lea, **days, called="Kim"),
            does(delegating.delegate, by=actor(world.lea), to=world.kim, **days, called="Lea"),
        ],
        lambda: [each.person.name for each in Delegation.objects.all()],
        {("Kim",): ["Kim"], ("Lea",): ["Lea"]},
    )


@race(delegating.take_back)
def both_end_a_delegation(world: World) -> Raced:
    days: Said = {"system": world.system, "from_at": now(), "to_at": now() + timedelta(days=3)}
    row = delegating.delegate(by=actor(world.kim), to=world.lea, **days)
    return Raced(
        [does(delegating.take_back, by=actor(who), delegation=row) for who in (world.kim, world.lea)],
        lambda: Delegation.objects.get().ended_at is not None,
        {("take_back",): True},
    )


@race(delegating.hand_to_stand_in, actions.submit)
def a_stand_in_gets_a_review(world: World) -> Raced:
    row = taken(world)
    days: Said = {"system": world.system, "from_at": now(), "to_at": now() + timedelta(days=3)}
    delegating.delegate(by=actor(world.kim), to=world.lea, **days)
    said: Said = {"review": row, "answers": FINE, "outcome": "accepted", "wrote": ["review.submitted"]}
    return Raced(
        [
            does(delegating.hand_to_stand_in, by=SWEEP, review=row, wrote=["review.handed_over"]),
            does(actions.submit, by=actor(world.kim), **said),
        ],
        lambda: _has(row),
        {("hand_to_stand_in",): ("claimed", "Lea"), ("submit",): ("submitted", "Kim")},
    )


@race(accepting.accept, accepting.accept_group, accepting.take_back)
def acts_are_accepted(world: World) -> Raced:
    row = taken(world)
    ids = do(
        grant_of(row),
        [Did("UPDATE a", "schema_change"), Did("DROP TABLE a", "schema_change"), Did("DROP VIEW b", "schema_change")],
    )
    before = accepting.accept(by=actor(world.kim), review=row, activities=ids[:1], note="Needed.")
    follow_all()
    by = actor(world.kim)
    group: Said = {"kind": "schema_change", "upto": size() - 1, "note": "All needed."}
    return Raced(
        [
            does(accepting.accept, by=by, review=row, activities=ids[1:], note="Needed."),
            does(accepting.accept_group, by=by, review=row, **group, wrote=["review.acts_accepted"]),
            does(accepting.take_back, by=by, acceptance=before),
        ],
        Acceptance.objects.count,
        {("accept", "accept_group", "take_back"): 2},
    )  # fmt: skip


@race(aftermath.record_change)
def a_change_record_is_named(world: World) -> Raced:
    row = taken(world)
    do(grant_of(row), [Did("UPDATE a", "data_change")])
    follow_all()
    said: Said = {
        "reference": "CHG-1",
        "raised_at": now() - timedelta(hours=1),
        "disposition": "kept",
        "upto": size() - 1,
    }
    return Raced(
        [does(aftermath.record_change, by=actor(who), review=row, **said) for who in (world.kim, world.lea, world.mo)],
        ChangeRecord.objects.count,
        {("record_change",): 1},
    )


@race(aftermath.decide_privacy, aftermath.record_notice)
def a_breach_is_told(world: World) -> Raced:
    row = taken(world)
    aftermath.decide_privacy(by=actor(world.kim), review=row, breach=True, reason="Names were read.")
    return Raced(
        [
            does(aftermath.record_notice, by=actor(world.kim), review=row, notified_at=now()),
            does(aftermath.record_notice, by=actor(world.mo), review=row, notified_at=now()),
            does(aftermath.decide_privacy, by=actor(world.lea), review=row, breach=True, reason="As said.", aware_at=now() - timedelta(hours=1)),
        ],
        lambda: PrivacyDecision.objects.get().notified_at is not None,
        {("record_notice",): True},
        free=frozenset({"decide_privacy"}),
    )  # fmt: skip


@race(actions.claim, late.give_next)
def a_late_review_is_taken_and_given_on(world: World) -> Raced:
    """The log says from whom it was given on, also where they took it while the sweep waited."""
    row = due(world)
    Review.objects.filter(pk=row.pk).update(due_at=now() - timedelta(minutes=1))

    def left() -> str | None:
        (event,) = of_subject(row.log_subject, ("review.given_next",))
        return event.fields.get("from_id")

    return Raced(
        [
            does(actions.claim, by=actor(world.kim), review=row, wrote=["review.claimed"]),
            does(late.give_next, by=SWEEP, review=row, wrote=["review.given_next"]),
        ],
        left,
        {("claim", "give_next"): str(world.kim.pk), ("give_next",): None},
    )
