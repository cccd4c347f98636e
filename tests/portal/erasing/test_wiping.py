"""What is cut out of texts: whole names and addresses, long sentences; nothing of anybody else and nothing that programs act on."""

from typing import Any

import pytest
from django.db import connection

from audit.log.models import PersonalValue
from portal.access_requests import questions
from portal.access_requests.actions import decline
from portal.access_requests.models import AccessRequest, Approval
from portal.clock import now
from portal.erasing import actions, carrying_out
from portal.erasing.columns import COLUMNS
from portal.erasing.models import Erasure
from portal.erasing.wiping import in_strings, sought
from portal.grants.narrowing import note_leaving
from portal.notifications.models import Alert
from portal.people.actions import add_person
from portal.people.models import Person
from portal.policy.models import PolicyVersion
from portal.policy.queries import rules_of
from portal.reviews.models import Review
from portal.systems.models import Privilege, System
from tests.portal.erasing.conftest import EMAIL, NAME, TYPED
from tests.worlds import World, actor, authorised, request_of

ANYWHERE = [
    "text",
    "character varying",
    "character",
    "json",
    "jsonb",
    "bytea",
    "ARRAY",
    "inet",
    "cidr",
    "xml",
    "name",
    "USER-DEFINED",
]


def erased(world: World) -> Erasure:
    note_leaving(by=actor(world.pia), person=world.ursula)
    person = Person.objects.get(pk=world.ursula.pk)
    asked = actions.ask(by=actor(world.pia), person=person, basis="asked", reason="By letter.")
    return carrying_out.carry_out(erasure=actions.confirm(by=actor(world.quinn), erasure=asked))


def acted_on() -> dict[str, list[Any]]:
    """What programs act on, and who the others are, but for what the erasure is to change."""
    return {
        "policies": list(PolicyVersion.objects.order_by("pk").values_list("document", "sha256")),
        "systems": list(System.objects.order_by("pk").values_list("slug", "name", "connector", "settings", "way_in")),
        "privileges": list(Privilege.objects.order_by("pk").values_list("name", "on_target", "description")),
        "people": list(Person.objects.exclude(email__startswith="erased-").exclude(email=EMAIL).order_by("pk").values_list("name", "email")),
    }  # fmt: skip


@pytest.mark.django_db
def test_every_column_that_can_hold_a_text_is_listed_with_what_is_done_with_it() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema() AND data_type = ANY(%s)",
            [ANYWHERE],
        )
        there = {(table, column) for table, column in cursor.fetchall()}
    assert {(table, column) for table, columns in COLUMNS.items() for column in columns} == there


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("eraser")
@pytest.mark.parametrize("typed", ["approved", "postgresql", "@example.org", "17645000", "name of the system"])
def test_what_somebody_typed_is_taken_from_their_own_rows_and_from_nothing_that_programs_act_on(
    world: World, typed: str
) -> None:
    typed = world.system.name if typed == "name of the system" else typed
    hers, other = request_of(world, "ursula"), request_of(world, "ann")
    AccessRequest.objects.update(reason=typed)
    for alert in Alert.objects.filter(kind="request.asked"):
        alert.facts["reason"] = typed
        alert.save(update_fields=["facts"])
    for request, who in ((hers, world.ursula), (other, world.mo)):
        Approval.objects.create(request=request, approver=who, decision="approve", comment=typed, decided_at=now())
    before = acted_on()
    assert erased(world).state == "done"
    assert acted_on() == before
    assert (
        rules_of(PolicyVersion.objects.get(pk=other.policy_id)).sha256()
        == PolicyVersion.objects.get(pk=other.policy_id).sha256
    )
    reasons = {row.pk: row.reason for row in AccessRequest.objects.all()}
    comments = dict(Approval.objects.values_list("request_id", "comment"))
    assert (reasons, comments) == ({hers.pk: "(erased)", other.pk: typed}, {hers.pk: "(erased)", other.pk: typed})
    told = Alert.objects.filter(kind="request.asked")
    assert {each.facts["reason"] for each in told.filter(case=str(hers.pk))} == {"(erased)"}
    assert {each.facts["reason"] for each in told.filter(case=str(other.pk))} == {typed}


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("eraser")
def test_a_name_and_an_address_go_as_wholes_and_a_long_text_wherever_people_type(
    world: World, asked: AccessRequest
) -> None:
    others = request_of(world, "ann", reason=f"As {NAME} <{EMAIL}> says: {TYPED} See mary.{EMAIL} and {NAME}-Smith.")
    grant = authorised(world)
    review = Review.objects.create(
        request=grant.request,
        grant=grant,
        due_at=now(),
        reviewer=world.ursula,
        claimed_at=now(),
        state="claimed",
        answers={"q1": {"answer": "no", "comment": "short"}},
    )
    namesake = add_person(by=actor(world.pia), name=f"{NAME}-Smith", email=f"mary.{EMAIL}")[0]
    Alert.objects.filter(case=str(others.pk)).delete()
    Alert.objects.create(
        recipient=world.mo, kind="request.asked", case=str(others.pk), queued_at=now(), next_try_at=now(),
        facts={"minutes": 17645000, "person": "Ann", "by": NAME, "reason": f'"{EMAIL}"', "lines": [TYPED]},
    )  # fmt: skip
    assert erased(world).state == "done"
    others.refresh_from_db()
    review.refresh_from_db()
    namesake.refresh_from_db()
    assert others.reason == f"As (erased) <(erased)> says: (erased) See mary.{EMAIL} and {NAME}-Smith."
    assert (namesake.name, namesake.email) == (f"{NAME}-Smith", f"mary.{EMAIL}")
    assert review.answers == {"q1": {"answer": "no", "comment": "(erased)"}}
    assert Alert.objects.get(case=str(others.pk)).facts == {
        "minutes": 17645000, "person": "Ann", "by": "(erased)", "reason": '"(erased)"', "lines": ["(erased)"],
    }  # fmt: skip


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("eraser")
def test_what_others_said_in_her_cases_stays_without_her_name(world: World, asked: AccessRequest) -> None:
    """In the log it goes whole, for it is about her."""
    said = f"Not for {NAME}: call {EMAIL}, or Ursula's team."
    questions.question(by=actor(world.ines), request=asked, text=said)
    decline(by=actor(world.ines), request=asked, comment=said)
    assert PersonalValue.objects.filter(value=said).count() == 2
    assert erased(world).state == "done"
    left = "Not for (erased): call (erased), or Ursula's team."
    assert (asked.questions.get().text, asked.approvals.get().comment) == (left, left)
    assert not PersonalValue.objects.filter(value__in=[said, left]).exists()


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("ann@example.org", "(erased)"),
        ("Ann@Example.org.", "(erased)."),
        ("'ann@example.org'", "'(erased)'"),
        ("mailto:ann@example.org?subject=x", "mailto:(erased)?subject=x"),
        ("q=ann%40example.org", "q=(erased)"),
        ("joann@example.org", "joann@example.org"),
        ("o'ann@example.org", "o'ann@example.org"),
        ("jo-ann@example.org", "jo-ann@example.org"),
        ("ann@example.org.uk", "ann@example.org.uk"),
        ("ann@example.organic", "ann@example.organic"),
        ("Ann  Lee's", "(erased)'s"),
        ("Joann Lee, Ann Lees, Ann Lee-Smith", "Joann Lee, Ann Lees, Ann Lee-Smith"),
        ("query=Ann+Lee&x", "query=(erased)&x"),
    ],
)
def test_only_wholes_go(text: str, left: str) -> None:
    assert sought(["ann@example.org", "Ann Lee"]).change(is_free=False)(text) == left


def test_what_was_typed_goes_where_it_is_long_and_people_type_freely() -> None:
    wanted = sought([], ["approved", "the queue is stuck in Rome"])
    assert wanted.change(is_free=True)("approved: The queue is stuck in Rome!") == "approved: (erased)!"
    assert wanted.change(is_free=False)("the queue is stuck in Rome") == "the queue is stuck in Rome"


def test_json_is_changed_in_its_texts_alone() -> None:
    given = {"approved": [17645000, "approved", None, {"a": "yes: approved"}], "n": 1.5}
    assert in_strings(given, lambda text: text.replace("approved", "-")) == {
        "approved": [17645000, "-", None, {"a": "yes: -"}], "n": 1.5,
    }  # fmt: skip
