"""A bypass at night: its responder may take more time once, where the policy says so, and everybody is told."""

from collections.abc import Iterator

import pytest
from django.conf import settings

from audit.cases.reading import record_of
from portal.errors import NotAllowed, RefusedByPolicy, StepUpNeeded, WrongState
from portal.grants import actions, authorising, extending, opening
from portal.grants.models import Extension, Grant
from portal.notifications.models import Alert
from portal.policy.rules import Policy, parse
from tests.browsing import browser_of
from tests.factories import broken_log
from tests.worlds import World, actor, make_world, names_of, opened, overdue, sealing

pytestmark = pytest.mark.django_db(transaction=True)
REFUSAL = "grant.act_refused"


@pytest.fixture
def world() -> Iterator[World]:
    with sealing():
        yield make_world(policy=Policy(bypass_extensions=1))


def bypassed(world: World) -> Grant:
    grant = opening.run(
        authorising.bypass(by=actor(world.ann), privilege=world.privilege, asked=world.asked("bypass")).pk
    )
    assert grant.state == "active", grant.last_trouble
    return grant


def test_responder_takes_more_time_once_and_everybody_is_told(world: World) -> None:
    grant = bypassed(world)
    answer = browser_of(world.ann).post(
        f"/grants/{grant.pk}/extend-bypass/", {"minutes": 20, "reason": "Nobody is up."}
    )
    assert answer.status_code == 302
    before = grant.expires_at
    grant.refresh_from_db()
    assert before is not None
    assert grant.expires_at is not None
    assert (grant.expires_at - before).total_seconds() == 20 * 60
    told = Alert.objects.filter(kind="extension.taken")
    assert {each.recipient.name if each.recipient else each.address for each in told} == {
        "Ines", "Jon", "Mo", *settings.PORTAL_SECURITY_LIST,
    }  # fmt: skip
    assert names_of(grant.request_id).count("grant.extended") == 1
    assert Extension.objects.get().applied_at is not None, "the page's own process carried it to the target"
    with pytest.raises(RefusedByPolicy, match="extended already"):
        actions.extend_bypass(by=actor(world.ann), grant=grant, minutes=5)
    record = record_of(grant.request_id)
    assert record is not None
    (told_of,) = record.case.extensions
    assert (told_of.minutes, told_of.given, told_of.decided_by, told_of.reason) == (
        20,
        True,
        str(world.ann.pk),
        "Nobody is up.",
    )


def test_what_waits_for_an_answer_is_answered_by_it(world: World) -> None:
    grant = bypassed(world)
    asked = actions.ask_extension(by=actor(world.ann), grant=grant, minutes=10)
    assert "Take more time" in browser_of(world.ann).get(f"/requests/{grant.request_id}/").content.decode()
    actions.extend_bypass(by=actor(world.ann), grant=grant, minutes=15)
    asked.refresh_from_db()
    assert (asked.decision, asked.minutes, asked.decided_by) == ("approve", 15, world.ann)
    extending.run(grant.pk)
    assert "Take more time" not in browser_of(world.ann).get(f"/requests/{grant.request_id}/").content.decode()


@pytest.mark.parametrize(
    ("who", "said", "error"),
    [
        ("ines", {}, NotAllowed), ("ben", {}, NotAllowed), ("zoe", {}, NotAllowed), ("ann", {"age_s": 3600}, StepUpNeeded),
        ("ann", {"minutes": 0}, RefusedByPolicy), ("ann", {"minutes": 61}, RefusedByPolicy), ("ann", {"mode": "approved"}, RefusedByPolicy),
        ("ann", {"over": True}, WrongState),
    ],
)  # fmt: skip
def test_what_is_refused_leaves_the_end_and_is_on_record(
    world: World, who: str, said: dict[str, object], error: type[Exception]
) -> None:
    grant = opened(world) if said.get("mode") else bypassed(world)
    if said.get("over"):
        overdue(grant)
    before, ends = names_of(grant.request_id), grant.expires_at
    age = int(str(said.get("age_s", 10)))
    with pytest.raises(error):
        actions.extend_bypass(
            by=actor(world.people[who], age_s=age), grant=grant, minutes=int(str(said.get("minutes", 10)))
        )
    grant.refresh_from_db()
    assert (grant.expires_at, Extension.objects.count()) == (ends, 0)
    assert names_of(grant.request_id) == [*before, REFUSAL]


def test_older_policy_does_not_let_anybody(world: World) -> None:
    older = make_world(slug="older", on_target="older_emergency", people=world.people)
    grant = bypassed(older)
    page = browser_of(world.ann).get(f"/requests/{grant.request_id}/").content.decode()
    assert ("Take more time" in page, "Ask for more time" in page) == (False, True)
    with pytest.raises(RefusedByPolicy, match="does not let"):
        actions.extend_bypass(by=actor(world.ann), grant=grant, minutes=5)


def test_without_the_log_nothing_changes(world: World) -> None:
    grant, browser = bypassed(world), browser_of(world.ann)
    with broken_log():
        answer = browser.post(f"/grants/{grant.pk}/extend-bypass/", {"minutes": 20})
    assert answer.status_code == 503
    assert Extension.objects.count() == 0
    assert not Alert.objects.filter(kind="extension.taken").exists()


def test_document_of_an_older_version_keeps_its_hash() -> None:
    assert "bypass_extensions" not in Policy().document()
    assert Policy().sha256() == "e77d17a4612885df12bdf5c69482f6475fbefd717c0b0e7ac1b0b2e0679027f5"
    changed = Policy(bypass_extensions=1)
    assert parse(changed.document()) == changed
    assert changed.sha256() != Policy().sha256()
    with pytest.raises(ValueError, match="only where extensions are possible"):
        parse(Policy(bypass_extensions=1, max_extensions=0).document())
