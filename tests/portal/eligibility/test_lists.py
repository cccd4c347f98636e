"""Roles and eligibilities: two people to widen, one to narrow, nobody for themselves."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from audit.log.append import LogUnavailable
from portal.clock import now
from portal.eligibility import actions
from portal.eligibility.models import Eligibility, RoleAssignment
from portal.eligibility.queries import holds
from portal.errors import NotAllowed, Refused, RefusedByPolicy, StepUpNeeded, WrongState
from portal.grants import narrowing
from tests.at_once import at_once
from tests.factories import broken_log, client_of, fields_of, founders, names_by_subject, person
from tests.worlds import World, actor, authorised, make_world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> World:
    return make_world()


def proposed(world: World, by: str = "pia", to: str = "zoe") -> Eligibility:
    return actions.propose_eligibility(by=actor(world.people[by]), person=world.people[to], privilege=world.privilege)


def proposed_role(world: World, by: str = "pia", to: str = "zoe", role: str = "approver") -> RoleAssignment:
    return actions.propose_role(by=actor(world.people[by]), person=world.people[to], role=role, system=world.system)


def test_role_holds_once_a_second_administrator_approved(world: World) -> None:
    role = proposed_role(world)
    assert not holds(world.zoe.pk, "approver", world.system)
    actions.approve_role(by=actor(world.quinn), assignment=role)
    assert holds(world.zoe.pk, "approver", world.system)
    told = fields_of("role.granted", role.log_subject)
    assert (told["changed_by"], told["approved_by"], told["beneficiary_id"]) == (
        str(world.pia.pk),
        str(world.quinn.pk),
        str(world.zoe.pk),
    )
    assert told["approved_at"] <= told["effective_at"]


def test_owner_and_administrator_put_somebody_on_a_list(world: World) -> None:
    row = proposed(world, by="mo")
    actions.approve_eligibility(by=actor(world.pia), eligibility=row)
    row.refresh_from_db()
    assert (row.proposed_by_id, row.approved_by_id) == (world.mo.pk, world.pia.pk)
    told = names_by_subject(row.log_subject)
    assert told == ["configuration.changed", "eligibility.proposed", "configuration.changed", "eligibility.granted"]


Act = Callable[[World], Any]
FORBIDDEN: dict[str, Act] = {
    "proposer approves": lambda w: actions.approve_eligibility(by=actor(w.pia), eligibility=proposed(w)),
    "proposer approves a role": lambda w: actions.approve_role(by=actor(w.pia), assignment=proposed_role(w)),
    "for oneself": lambda w: proposed(w, by="mo", to="mo"),
    "a role for oneself": lambda w: proposed_role(w, by="pia", to="pia"),
    "beneficiary approves": lambda w: actions.approve_eligibility(by=actor(w.mo), eligibility=proposed(w, to="mo")),
    "beneficiary approves a role": lambda w: actions.approve_role(
        by=actor(w.quinn), assignment=proposed_role(w, to="quinn", role="owner")
    ),
    "outsider proposes": lambda w: proposed(w, by="zoe", to="ann"),
    "responder proposes": lambda w: proposed(w, by="ann", to="zoe"),
    "owner proposes a role": lambda w: proposed_role(w, by="mo"),
    "auditor ends a role": lambda w: narrowing.end_role(
        by=actor(w.otto), assignment=RoleAssignment.objects.get(person=w.ann)
    ),
    "approver revokes": lambda w: narrowing.revoke_eligibility(
        by=actor(w.ines), eligibility=Eligibility.objects.get(person=w.ann)
    ),
    "revokes one's own": lambda w: narrowing.revoke_eligibility(
        by=actor(w.ann), eligibility=Eligibility.objects.get(person=w.ann)
    ),
    "administrator of one system, role for all": lambda w: actions.propose_role(
        by=actor(w.pia), person=w.zoe, role="auditor"
    ),
}


@pytest.mark.parametrize("act", FORBIDDEN.values(), ids=FORBIDDEN)
def test_not_allowed(world: World, act: Act) -> None:
    before = (
        list(RoleAssignment.objects.order_by("pk").values()),
        list(Eligibility.objects.filter(person=world.ann).values()),
    )
    with pytest.raises(NotAllowed):
        act(world)
    approved = RoleAssignment.objects.exclude(pk__in=[row["id"] for row in before[0]]).filter(approved_at__isnull=False)
    assert not approved.exists()
    assert list(Eligibility.objects.filter(person=world.ann).values()) == before[1]


STALE: dict[str, Act] = {
    "propose": lambda w: actions.propose_eligibility(by=actor(w.pia, age_s=901), person=w.zoe, privilege=w.privilege),
    "approve": lambda w: actions.approve_eligibility(by=actor(w.quinn, age_s=901), eligibility=proposed(w)),
    "propose a role": lambda w: actions.propose_role(
        by=actor(w.pia, method=None), person=w.zoe, role="approver", system=w.system
    ),
    "approve a role": lambda w: actions.approve_role(by=actor(w.quinn, method="recovery"), assignment=proposed_role(w)),
    "revoke": lambda w: narrowing.revoke_eligibility(
        by=actor(w.pia, age_s=901), eligibility=Eligibility.objects.get(person=w.ann)
    ),
}


@pytest.mark.parametrize("act", STALE.values(), ids=STALE)
def test_each_act_needs_a_fresh_second_factor(world: World, act: Act) -> None:
    with pytest.raises(StepUpNeeded):
        act(world)


def test_doubled_proposal_is_refused(world: World) -> None:
    proposed(world)
    with pytest.raises(RefusedByPolicy):
        proposed(world, by="mo")
    proposed_role(world)
    with pytest.raises(RefusedByPolicy):
        proposed_role(world, by="quinn")


def test_declined_proposal_is_kept_and_decided_for_good(world: World) -> None:
    row = proposed(world)
    actions.decline_eligibility(by=actor(world.mo), eligibility=row)
    row.refresh_from_db()
    assert (row.ended_cause, row.approved_at) == ("declined", None)
    for again in (actions.approve_eligibility, actions.decline_eligibility):
        with pytest.raises(WrongState):
            again(by=actor(world.quinn), eligibility=row)
    assert proposed(world).pk != row.pk


def test_window_in_the_past_or_the_wrong_way_round_is_refused(world: World) -> None:
    at = now()
    for begins, ends in ((None, at - timedelta(hours=1)), (at + timedelta(days=2), at + timedelta(days=1))):
        with pytest.raises(RefusedByPolicy):
            actions.propose_eligibility(
                by=actor(world.pia), person=world.zoe, privilege=world.privilege, from_at=begins, to_at=ends
            )


def test_what_was_to_begin_earlier_begins_at_the_approval(world: World) -> None:
    row = actions.propose_eligibility(
        by=actor(world.pia), person=world.zoe, privilege=world.privilege, from_at=now() - timedelta(days=3)
    )
    actions.approve_eligibility(by=actor(world.quinn), eligibility=row)
    row.refresh_from_db()
    assert row.from_at == row.approved_at


def test_revocation_ends_open_grants_of_that_privilege_at_once(world: World) -> None:
    grant, other = authorised(world), authorised(world, by="ben")
    narrowing.revoke_eligibility(by=actor(world.mo), eligibility=Eligibility.objects.get(person=world.ann))
    grant.refresh_from_db()
    other.refresh_from_db()
    assert (grant.state, grant.end_cause, other.state) == ("failed", "revoked", "authorised")


def test_reviewer_may_revoke_and_the_portal_ends_the_grant(world: World) -> None:
    grant = authorised(world)
    narrowing.revoke_eligibility(by=actor(world.kim), eligibility=Eligibility.objects.get(person=world.ann))
    grant.refresh_from_db()
    assert grant.state == "failed"


def test_end_of_the_responders_role_ends_their_grants(world: World) -> None:
    grant = authorised(world)
    narrowing.end_role(by=actor(world.pia), assignment=RoleAssignment.objects.get(person=world.ann, role="responder"))
    grant.refresh_from_db()
    assert grant.state == "failed"


def test_end_of_another_role_leaves_grants(world: World) -> None:
    grant = authorised(world)
    narrowing.end_role(by=actor(world.pia), assignment=RoleAssignment.objects.get(person=world.jon))
    grant.refresh_from_db()
    assert grant.state == "authorised"
    assert not holds(world.jon.pk, "approver", world.system)


def test_shortening_ends_only_what_would_outlast_it(world: World) -> None:
    grant = authorised(world)
    row = Eligibility.objects.get(person=world.ann)
    narrowing.shorten_eligibility(by=actor(world.mo), eligibility=row, to_at=now() + timedelta(minutes=5))
    grant.refresh_from_db()
    assert grant.state == "failed"
    with pytest.raises(RefusedByPolicy):
        narrowing.shorten_eligibility(by=actor(world.mo), eligibility=row, to_at=now() + timedelta(days=5))


def test_log_that_cannot_be_written_widens_and_narrows_nothing(world: World) -> None:
    row, role, grant = proposed(world), proposed_role(world), authorised(world)
    held = Eligibility.objects.get(person=world.ann)
    acts: list[Callable[[], Any]] = [
        lambda: proposed(world, to="otto"),
        lambda: actions.approve_eligibility(by=actor(world.quinn), eligibility=row),
        lambda: actions.approve_role(by=actor(world.quinn), assignment=role),
        lambda: actions.decline_role(by=actor(world.quinn), assignment=role),
        lambda: narrowing.revoke_eligibility(by=actor(world.mo), eligibility=held),
        lambda: narrowing.end_role(by=actor(world.pia), assignment=RoleAssignment.objects.get(person=world.ann)),
    ]
    before = list(RoleAssignment.objects.order_by("pk").values()), list(Eligibility.objects.order_by("pk").values())
    with broken_log():
        for act in acts:
            with pytest.raises(LogUnavailable):
                act()
    assert (
        list(RoleAssignment.objects.order_by("pk").values()),
        list(Eligibility.objects.order_by("pk").values()),
    ) == before
    grant.refresh_from_db()
    assert grant.state == "authorised"


def test_refusal_is_on_record(world: World) -> None:
    row = proposed(world)
    with pytest.raises(Refused):
        actions.approve_eligibility(by=actor(world.pia), eligibility=row)
    told = fields_of("eligibility.act_refused", row.log_subject)
    assert (told["act"], told["kind"]) == ("approve_eligibility", "own")


# --- pages


def test_two_people_walk_it_in_the_browser(world: World) -> None:
    pia, quinn = (client_of(world.people[name]) for name in ("pia", "quinn"))
    made = pia.post("/eligibilities/new/", {"person": world.zoe.pk, "privilege": world.privilege.pk})
    page = made.headers["Location"]
    assert "Take the proposal back" in pia.get(page).content.decode()
    assert "Approve</button>" not in pia.get(page).content.decode()
    assert page in quinn.get("/").content.decode()
    quinn.post(f"{page}decide/", {"decision": "approve"})
    assert Eligibility.objects.get(person=world.zoe).approved_by_id == world.quinn.pk
    quinn.post(f"{page}revoke/")
    assert Eligibility.objects.get(person=world.zoe).ended_cause == "revoked"


@pytest.mark.parametrize(
    ("name", "eligibility_page", "role_page", "proposes"),
    [("mo", 200, 200, 200), ("pia", 200, 200, 200), ("kim", 200, 404, 403), ("otto", 200, 200, 403), ("ann", 200, 200, 403), ("ben", 404, 404, 403),
     ("zoe", 404, 404, 403)],
)  # fmt: skip
def test_owner_teammate_and_outsider(
    world: World, name: str, eligibility_page: int, role_page: int, proposes: int
) -> None:
    browser = client_of(world.people[name])
    line, role = Eligibility.objects.get(person=world.ann), RoleAssignment.objects.get(person=world.ann)
    got = [
        browser.get(address).status_code
        for address in (f"/eligibilities/{line.pk}/", f"/roles/{role.pk}/", "/eligibilities/new/")
    ]
    assert got == [eligibility_page, role_page, proposes]


@pytest.mark.parametrize("name", ["ann", "ben", "zoe", "otto", "ines"])
def test_who_may_not_decide_changes_nothing(world: World, name: str) -> None:
    browser = client_of(world.people[name])
    row, role = proposed(world), proposed_role(world)
    answers = [
        browser.post(f"/eligibilities/{row.pk}/decide/", {"decision": "approve"}),
        browser.post(f"/roles/{role.pk}/decide/", {"decision": "approve"}),
        browser.post(f"/eligibilities/{Eligibility.objects.get(person=world.ann).pk}/revoke/"),
    ]
    assert {answer.status_code for answer in answers} == {403}
    row.refresh_from_db()
    role.refresh_from_db()
    assert (row.approved_at, role.approved_at, Eligibility.objects.get(person=world.ann).ended_at) == (None, None, None)


def test_wrong_input_is_told_and_kept(world: World) -> None:
    browser = client_of(world.pia)
    answer = browser.post(
        "/eligibilities/new/",
        {"person": world.zoe.pk, "privilege": "", "from_at": "2030-01-02T10:00", "to_at": "2030-01-01T10:00"},
    )
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "things to put right" in page
    assert 'value="2030-01-02T10:00"' in page


def test_proposals_of_founders_reach_all_systems() -> None:
    pia, quinn = founders()
    ann = person("Ann")
    role = actions.propose_role(by=actor(pia), person=ann, role="auditor")
    actions.approve_role(by=actor(quinn), assignment=role)
    assert holds(ann.pk, "auditor")
    with pytest.raises(RefusedByPolicy):
        actions.propose_role(by=actor(pia), person=ann, role="owner")
    with pytest.raises(RefusedByPolicy):
        actions.propose_role(by=actor(pia), person=ann, role="king")


# --- two administrators of all systems remain


def administrators_of_all(world: World, *names: str) -> list[RoleAssignment]:
    """Each proposed and approved by two others."""
    at, others = now() - timedelta(days=1), {"proposed_by": world.ines, "approved_by": world.jon}
    return [
        RoleAssignment._base_manager.create(
            person=world.people[name], role="administrator", proposed_at=at, approved_at=at, from_at=at, **others
        )
        for name in names
    ]


def test_last_two_administrators_of_all_systems_stay_until_there_is_a_third(world: World) -> None:
    _, quinns = administrators_of_all(world, "pia", "quinn")
    acts: list[Callable[[], Any]] = [
        lambda: narrowing.end_role(by=actor(world.pia), assignment=quinns),
        lambda: narrowing.withdraw_role(by=actor(world.pia), assignment=quinns, cause="attestation"),
        lambda: narrowing.shorten_role(by=actor(world.pia), assignment=quinns, to_at=now() + timedelta(days=9)),
    ]
    for act in acts:
        with pytest.raises(RefusedByPolicy, match="Make one more administrator of all systems first"):
            act()
    quinns.refresh_from_db()
    assert (quinns.ended_at, quinns.to_at) == (None, None)
    administrators_of_all(world, "zoe")
    narrowing.end_role(by=actor(world.pia), assignment=quinns)
    assert not holds(world.quinn.pk, "administrator")


def test_third_who_goes_before_the_new_end_is_no_third(world: World) -> None:
    _, quinns, zoes = administrators_of_all(world, "pia", "quinn", "zoe")
    narrowing.shorten_role(by=actor(world.pia), assignment=zoes, to_at=now() + timedelta(days=3))
    with pytest.raises(RefusedByPolicy, match="Fewer than two"):
        narrowing.shorten_role(by=actor(world.pia), assignment=quinns, to_at=now() + timedelta(days=9))


def test_administrators_who_end_each_other_at_the_same_moment_do_not_all_go(world: World) -> None:
    rows = administrators_of_all(world, "pia", "quinn", "zoe")
    pairs = iter([("pia", rows[1]), ("quinn", rows[2]), ("zoe", rows[0])])
    got = at_once(3, lambda: _ends(world, *next(pairs)))
    assert sum(isinstance(each, RoleAssignment) for each in got) == 1
    assert RoleAssignment.objects.filter(pk__in=[row.pk for row in rows], ended_at=None).count() == 2


def _ends(world: World, by: str, row: RoleAssignment) -> RoleAssignment:
    return narrowing.end_role(by=actor(world.people[by]), assignment=row)


def test_who_leaves_goes_whoever_remains(world: World) -> None:
    administrators_of_all(world, "pia", "quinn")
    narrowing.note_leaving(by=actor(world.pia), person=world.quinn)
    assert not holds(world.quinn.pk, "administrator")
