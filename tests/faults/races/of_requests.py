"""What is asked: answered, withdrawn, lapsed, questioned, added to."""

from datetime import timedelta
from typing import Any

from audit.log.append import process
from portal.access_requests import actions as requests
from portal.access_requests import asking, questions, together
from portal.access_requests.models import AccessRequest, Question, Seen
from portal.clock import now
from portal.grants import authorising
from portal.grants.models import Grant
from portal.systems.models import Privilege
from tests.faults.races.racing import Raced, Said, does, race
from tests.worlds import REASON, World, actor, authorised, request_of

APPROVES = ("request.approved", "grant.authorised")


def _ends(request: AccessRequest) -> tuple[str, int]:
    return AccessRequest.objects.get(pk=request.pk).state, Grant.objects.count()


@race(authorising.approve, requests.decline, requests.withdraw)
def a_request_waits(world: World) -> Raced:
    row = request_of(world)
    return Raced(
        [
            does(authorising.approve, by=actor(world.ines), request=row, wrote=APPROVES),
            does(requests.decline, by=actor(world.jon), request=row, comment="Not now."),
            does(requests.withdraw, by=actor(world.ann), request=row),
            does(authorising.approve, by=actor(world.jon), request=row, wrote=APPROVES),
            does(requests.decline, by=actor(world.ines), request=row, comment="Not now."),
        ],
        lambda: _ends(row),
        {("approve",): ("approved", 1), ("decline",): ("declined", 0), ("withdraw",): ("withdrawn", 0)},
    )


@race(authorising.approve, requests.lapse, requests.withdraw)
def a_request_whose_time_is_over(world: World) -> Raced:
    row = request_of(world)
    AccessRequest.objects.filter(pk=row.pk).update(lapses_at=now() - timedelta(seconds=1))
    return Raced(
        [
            does(requests.lapse, by=process("sweep"), request=row),
            does(requests.withdraw, by=actor(world.ann), request=row),
            does(authorising.approve, by=actor(world.ines), request=row, wrote=APPROVES),
        ],
        lambda: _ends(row),
        {("lapse",): ("lapsed", 0), ("withdraw",): ("withdrawn", 0)},
    )


@race(authorising.approve, authorising.bypass)
def the_glass_is_broken_instead_of_waiting(world: World) -> Raced:
    row = request_of(world)
    said: Said = {
        "privilege": world.privilege,
        "asked": world.asked("bypass", reason="Nobody answers."),
        "instead_of": row,
    }

    def left() -> tuple[str, int]:
        return _ends(row)

    return Raced(
        [
            does(authorising.bypass, by=actor(world.ann), **said, wrote=["request.made", "grant.authorised"]),
            does(authorising.approve, by=actor(world.ines), request=row, wrote=APPROVES),
        ],
        left,
        {("approve", "bypass"): ("approved", 2), ("bypass",): ("withdrawn", 1)},
        writes={("bypass",): ["request.withdrawn", "request.made", "grant.authorised"]},
    )


@race(requests.see)
def a_request_is_seen(world: World) -> Raced:
    row = request_of(world)
    return Raced(
        [does(requests.see, by=actor(who), request=row, called=who.name) for who in (world.ines, world.jon)],
        Seen.objects.count,
        {("Ines", "Jon"): 2},
    )


@race(questions.question)
def the_last_question_that_may_wait(world: World) -> Raced:
    row = request_of(world)
    for number in range(questions.MOST_UNANSWERED - 1):
        questions.question(by=actor(world.ines), request=row, text=f"Which disk? {number}")
    return Raced(
        [does(questions.question, by=actor(who), request=row, text="Why?") for who in (world.ines, world.jon)],
        Question.objects.count,
        {("question",): questions.MOST_UNANSWERED},
    )


@race(questions.answer, requests.decline)
def a_question_waits(world: World) -> Raced:
    row = request_of(world)
    asked = questions.question(by=actor(world.ines), request=row, text="Which disk?")
    said: list[dict[str, Any]] = [{"text": text} for text in ("The first.", "The second.")]
    return Raced(
        [
            *(does(questions.answer, by=actor(world.ann), question=asked, **each) for each in said),
            does(requests.decline, by=actor(world.jon), request=row, comment="Not now."),
        ],
        lambda: (bool(Question.objects.get().answered_at), _ends(row)[0]),
        {("answer", "decline"): (True, "declined"), ("decline",): (False, "declined")},
    )


@race(asking.ask)
def the_same_is_asked(world: World) -> Raced:
    said: Said = {"privilege": world.privilege, "asked": world.asked()}
    return Raced(
        [does(asking.ask, by=actor(who), **said, called=who.name) for who in (world.ann, world.ben)],
        AccessRequest.objects.count,
        {("Ann", "Ben"): 2},
    )


@race(asking.ask, together.ask_several, together.join)
def the_same_is_asked_in_three_ways(world: World) -> Raced:
    other = Privilege.objects.create(system=world.system, name="More", on_target="more", added_at=now())
    lists = world.privilege.eligibilities.get(person=world.ann)
    lists.pk, lists.privilege, lists._state.adding = None, other, True
    lists.id = type(lists)().id
    lists.save()
    joined = authorised(world, "ben").request
    said = world.asked(reason=REASON)
    return Raced(
        [
            does(asking.ask, by=actor(world.ann), privilege=world.privilege, asked=said),
            does(together.ask_several, by=actor(world.ann), privileges=[world.privilege, other], asked=said, wrote=["request.made"] * 2),
            does(together.join, by=actor(world.ann), request=joined, privilege=world.privilege, reason=REASON),
        ],
        lambda: AccessRequest.objects.filter(responder=world.ann, privilege=world.privilege).count(),
        {("ask",): 1, ("ask_several",): 1, ("join",): 1},
    )  # fmt: skip


@race(requests.supplement)
def what_a_bypass_owes_is_given(world: World) -> Raced:
    asked = world.asked("bypass", incident_ref="", reason="Writes fail.")
    row = authorising.bypass(by=actor(world.ann), privilege=world.privilege, asked=asked).request
    said = [world.asked("bypass", incident_ref=ref, reason="") for ref in ("INC-8", "INC-9")]
    return Raced(
        [
            does(requests.supplement, by=actor(world.ann), request=row, asked=each, called=each.incident_ref)
            for each in said
        ],
        lambda: AccessRequest.objects.get().incident_ref,
        {("INC-8",): "INC-8", ("INC-9",): "INC-9"},
    )
