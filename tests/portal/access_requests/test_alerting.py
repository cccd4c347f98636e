"""A policy chooses who is told of what; nobody is taken off who is always told, and without a choice everything goes as it went before."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.access_requests.alerting import recipients
from portal.clock import now
from portal.eligibility.models import RoleAssignment
from portal.findings.actions import raise_finding
from portal.grants import actions, authorising, ending, opening
from portal.grants.models import Grant
from portal.grants.trouble import Trouble
from portal.notifications.messages import words
from portal.notifications.models import Alert
from portal.policy.alerts import GROUPS, RECIPIENTS, Telling, in_words, listed, ordered
from portal.policy.differences import differences
from portal.policy.forms import ALL_LABELS, PolicyForm, first_values
from portal.policy.models import PolicyVersion
from portal.policy.rules import Policy, WrongPolicy, parse
from portal.reviews import actions as reviews
from portal.reviews.models import Review
from tests.factories import client_of
from tests.worlds import World, actor, authorised, make_world, opened, sealing

LISTS = "the security list"


@pytest.fixture
def world(transactional_db: None) -> Iterator[World]:
    with sealing():
        yield make_world()


def choosing(world: World, **alerts: tuple[str, ...]) -> None:
    """The policy in force, with these choices."""
    policy = parse({"alerts": {group: list(to) for group, to in alerts.items()}})
    PolicyVersion.objects.update(document=policy.document(), sha256=policy.sha256())


def told(kind: str) -> list[str]:
    rows = Alert.objects.filter(kind=kind, channel="mail").select_related("recipient")
    return sorted(each.recipient.name if each.recipient else LISTS for each in rows)


def test_without_a_choice_everything_goes_as_before(world: World) -> None:
    actions.give_back(by=actor(world.ann), grant=opened(world))
    ending.run(Grant.objects.get().pk)
    authorising.bypass(by=actor(world.ben), privilege=world.privilege, asked=world.asked("bypass"))
    assert told("grant.opened") == ["Ann", "Ines", "Jon", "Mo"]
    assert told("grant.ended") == ["Ann", "Mo"]
    assert told("request.bypass_opened") == ["Ines", "Jon", "Mo", LISTS]


def test_use_is_told_to_whom_the_policy_chooses_and_always_to_the_owner(world: World) -> None:
    choosing(world, use=("reviewers", "security"))
    actions.give_back(by=actor(world.ann), grant=opened(world))
    ending.run(Grant.objects.get().pk)
    assert told("grant.opened") == told("grant.ended") == ["Kim", "Lea", "Mo", LISTS]


def test_owner_who_asks_does_not_watch_over_it_alone(world: World) -> None:
    rules = parse({"alerts": {"use": []}})
    alone = recipients("use", rules, world.system, responder=world.mo)
    assert [each.name for each in alone["people"]] == ["Ines", "Jon"]


def test_bypass_failed_attempt_failed_end_gap_and_overdue_review_reach_others_too(world: World) -> None:
    choosing(
        world,
        bypass=("administrators",),
        failed=("security",),
        failed_end=("approvers",),
        gap=("reviewers",),
        overdue=("security",),
    )
    authorising.bypass(by=actor(world.ben), privilege=world.privilege, asked=world.asked("bypass"))
    assert told("request.bypass_opened") == ["Ines", "Jon", "Mo", "Pia", "Quinn", LISTS]
    trouble = Trouble("target_down", "The target does not answer.", again=True)
    opening.record_trouble(by=actor(world.pia), grant=authorised(world), trouble=trouble)
    assert told("grant.opening_failed") == ["Ann", LISTS]
    row = opened(world, reason="Another disk is full, and its writes fail too, since just now.")
    actions.give_back(by=actor(world.ann), grant=row)
    Grant.objects.filter(pk=row.pk).update(attempts=ending.ALARM_AT)
    ending.record_trouble(by=actor(world.pia), grant=row, trouble=trouble)
    assert told("grant.close_failed") == ["Ines", "Jon", "Mo", LISTS]
    raise_finding(by=actor(world.kim), kind="gap", title="Records are missing", about="w-1", system=world.system)
    raise_finding(by=actor(world.kim), kind="by hand", title="Something else", about="w-2", system=world.system)
    assert told("finding.raised") == ["Kim", "Lea", "Mo", "Mo"]
    ending.run(row.pk)
    review = reviews.set_due(by=actor(world.pia), grant=row)
    Review.objects.filter(pk=review.pk).update(due_at=now() - timedelta(minutes=1))
    reviews.remind(by=actor(world.pia), review=review, mark="at")
    assert told("review.overdue") == ["Kim", "Lea", "Mo", LISTS]


def test_where_the_owner_has_left_others_are_told_and_read_why(world: World) -> None:
    row = opened(world)
    actions.give_back(by=actor(world.ann), grant=row)
    ending.run(row.pk)
    world.mo.left_at = now()
    world.mo.save()
    authorising.bypass(by=actor(world.ben), privilege=world.privilege, asked=world.asked("bypass"))
    assert told("request.bypass_opened") == ["Ines", "Jon", "Pia", "Quinn", LISTS]
    raise_finding(by=actor(world.kim), kind="gap", title="Records are missing", about="w-1", system=world.system)
    assert told("finding.raised") == ["Pia", "Quinn"]
    raise_finding(by=actor(world.kim), kind="by hand", title="Else", about="w-2", system=world.system, owner=world.mo)
    assert told("finding.raised") == ["Pia", "Pia", "Quinn", "Quinn"]
    review = reviews.set_due(by=actor(world.pia), grant=row)
    Review.objects.filter(pk=review.pk).update(due_at=now() - timedelta(minutes=1))
    reviews.remind(by=actor(world.pia), review=review, mark="at")
    assert told("review.overdue") == ["Kim", "Lea", "Pia", "Quinn"]
    for alert in Alert.objects.filter(recipient=world.pia):
        assert "has left: Mo." in words(alert)[1]
    Alert.objects.all().delete()
    at = now()
    RoleAssignment._base_manager.create(
        person=world.zoe, role="owner", system=world.system, proposed_by=world.pia, proposed_at=at, approved_by=world.quinn, approved_at=at,
        from_at=at,
    )  # fmt: skip
    raise_finding(by=actor(world.kim), kind="gap", title="Records are missing", about="w-3", system=world.system)
    assert told("finding.raised") == ["Zoe"]


def test_nobody_is_said_to_have_left_where_nobody_has(world: World) -> None:
    raise_finding(by=actor(world.kim), kind="gap", title="Records are missing", about="w-1", system=world.system)
    (alert,) = Alert.objects.filter(kind="finding.raised")
    assert (alert.recipient, "gone" in alert.facts) == (world.mo, False)
    assert "left" not in words(alert)[1]


WORDS = {
    "the responder": {"Ann"}, "approvers": {"Ines", "Jon"}, "approvers of the opening": {"Ines", "Jon"}, "the owner": {"Mo"}, "reviewers": {"Kim", "Lea"},
    "administrators": {"Pia", "Quinn"}, "the security list": {LISTS}, "who owes it": {"Kim", "Lea"}, "who is given the finding": {"Kim"},
}  # fmt: skip


def behind(words: str) -> set[str]:
    """The people whom a sentence of the policy's page names."""
    return {name for each in re.split(", | and ", words) for name in WORDS[each]}


def test_words_on_the_page_of_a_policy_are_who_is_told(world: World) -> None:
    page = client_of(world.pia).get(f"/policies/{world.system.pk}/new/").content.decode()
    said = re.findall(r"Always told: ([^.<]*)\.(?: As usual besides: ([^.<]*)\.)?", page)
    words = dict(zip(GROUPS, said, strict=True))
    expected = {group: behind(always) | (behind(usual) if usual else set()) for group, (always, usual) in words.items()}
    trouble = Trouble("target_down", "The target does not answer.", again=True)
    row = authorised(world)
    opening.record_trouble(by=actor(world.pia), grant=row, trouble=trouble)
    assert told("grant.opening_failed") == sorted(expected["failed"])
    opening.run(row.pk)
    assert told("grant.opened") == sorted(expected["use"])
    actions.give_back(by=actor(world.ann), grant=row)
    Grant.objects.filter(pk=row.pk).update(attempts=ending.ALARM_AT)
    ending.record_trouble(by=actor(world.pia), grant=row, trouble=trouble)
    assert told("grant.close_failed") == sorted(expected["failed_end"])
    raise_finding(
        by=actor(world.pia), kind="not ended", title="Still there", about="w-0", system=world.system, owner=world.mo
    )
    assert told("finding.raised") == sorted(expected["failed_end"])
    Alert.objects.filter(kind="finding.raised").delete()
    ending.run(row.pk)
    assert "approvers of the opening" in words["use"][1]
    assert told("grant.ended") == sorted(expected["use"] - WORDS["approvers of the opening"])
    raise_finding(
        by=actor(world.pia), kind="gap", title="Records are missing", about="w-1", system=world.system, owner=world.kim
    )
    assert told("finding.raised") == sorted(expected["gap"])
    review = reviews.set_due(by=actor(world.pia), grant=row)
    Review.objects.filter(pk=review.pk).update(due_at=now() - timedelta(minutes=1))
    reviews.remind(by=actor(world.pia), review=review, mark="at")
    assert told("review.overdue") == sorted(expected["overdue"])
    authorising.bypass(by=actor(world.ben), privilege=world.privilege, asked=world.asked("bypass"))
    assert told("request.bypass_opened") == sorted(expected["bypass"])


def test_owner_who_used_it_is_told_of_no_overdue_review_of_it(world: World) -> None:
    found = recipients("overdue", Policy(), world.system, responder=world.mo, also=[world.kim])
    assert [each.name for each in found["people"]] == ["Kim", "Ines", "Jon"]


def test_docs_have_a_line_for_each_group_with_the_words_of_the_policy() -> None:
    lines = (Path(__file__).parents[3] / "docs" / "alerts.md").read_text().splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| a")]
    rows += [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| missing")]
    expected = [
        [
            f"{each.label[0].lower()}{each.label[1:]}",
            each.always_told,
            each.usually_told,
            listed(RECIPIENTS[to] for to in each.may),
        ]
        for each in GROUPS.values()
    ]
    assert sorted(rows) == sorted(expected)


def names(group: str) -> set[str]:
    """Who stands behind the recipients that are always told, for Ann's use."""
    behind = {
        "responder": {"Ann"}, "approvers": {"Ines", "Jon"}, "owner": {"Mo"}, "reviewers": {"Kim", "Lea"},
        "administrators": {"Pia", "Quinn"}, "security": {LISTS},
    }  # fmt: skip
    return {name for each in GROUPS[group].always for name in behind[each]}


@pytest.mark.parametrize("group", GROUPS)
def test_whoever_is_always_told_is_told_whatever_is_chosen(world: World, group: str) -> None:
    for to in ((), *((each,) for each in GROUPS[group].may), GROUPS[group].may):
        found = recipients(group, parse({"alerts": {group: list(to)}}), world.system, responder=world.ann)
        got = {each.name for each in found["people"]} | ({LISTS} if found["addresses"] else set())
        assert got >= names(group)
        assert len(found["people"]) == len(set(found["people"]))


@given(st.dictionaries(st.sampled_from(list(GROUPS)), st.sets(st.sampled_from(list(RECIPIENTS)))))
def test_choices_come_back_whole_and_only_those_that_may_be_chosen(chosen: dict[str, set[str]]) -> None:
    given_in = {group: sorted(to) for group, to in chosen.items()}
    if any(not to <= set(GROUPS[group].may) for group, to in chosen.items()):
        with pytest.raises(WrongPolicy):
            parse({"alerts": given_in})
        return
    policy = parse({"alerts": given_in})
    assert {each.group: set(each.to) for each in policy.alerts} == chosen
    assert parse(policy.document()) == policy


@pytest.mark.parametrize("wrong", [[], {"all": []}, {"use": "owner"}, {"use": [["owner"]]}, {"bypass": ["owner"]}, 7])
def test_wrong_choices_are_no_policy(wrong: object) -> None:
    with pytest.raises(WrongPolicy):
        parse({"alerts": wrong})


def test_policy_without_choices_keeps_its_bytes() -> None:
    assert "alerts" not in Policy().document()


def test_version_says_in_sentences_who_is_told_from_then_on() -> None:
    def said(before: tuple[str, ...], after: tuple[str, ...]) -> list[tuple[str, str]]:
        first, second = (Policy(alerts=(Telling("use", ordered(to)),)) for to in (before, after))
        return [(each.sentence, each.way) for each in differences(first, second, ALL_LABELS)]

    usual = GROUPS["use"].usual
    assert said(usual, ("responder",)) == [
        ("A use: opened, longer, ended: told are the responder and the owner.", "looser")
    ]
    assert said(usual, (*usual, "security")) == [
        (
            "A use: opened, longer, ended: told are the responder, approvers, the owner and the security list.",
            "stricter",
        )
    ]
    assert [way for _, way in said(("responder",), ("reviewers",))] == ["other"]
    assert said(usual, usual) == []
    assert in_words(()) == "as usual"
    assert in_words((Telling("overdue", ("security",)),)) == (
        "A duty that is overdue: who owes it, the owner and the security list"
    )


def test_form_keeps_what_is_usual_out_of_the_document_and_brings_a_choice_back() -> None:
    def filled(policy: Policy, **more: object) -> PolicyForm:
        values = {**first_values(policy), "review_days": 365, **more}
        return PolicyForm(
            {name: list(each) if isinstance(each, tuple) else "on" if each is True else each for name, each in values.items() if each is not False}
        )  # fmt: skip

    usual = filled(Policy())
    assert usual.is_valid(), usual.errors
    assert usual.policy == Policy()
    chosen = filled(Policy(), told_of_use=["reviewers"], told_of_failed=[])
    assert chosen.is_valid(), chosen.errors
    assert chosen.policy.alerts == (Telling("use", ("reviewers",)), Telling("failed", ()))
    again = filled(chosen.policy)
    assert again.is_valid()
    assert again.policy == chosen.policy
    assert not filled(Policy(), told_of_bypass=["owner"]).is_valid()
