"""Roles, eligibilities, loans and policies: what two have to agree to, and what one may end."""

from datetime import timedelta

from portal.clock import now
from portal.eligibility import actions as lists
from portal.eligibility.models import Eligibility, RoleAssignment
from portal.grants import narrowing
from portal.policy import actions as policies
from portal.policy.models import PolicyVersion
from portal.policy.rules import Policy
from portal.systems import actions as systems
from portal.systems.models import Privilege, ProposedChange
from tests.faults.races.racing import Raced, Said, does, race
from tests.worlds import World, actor


def stands(row: RoleAssignment | Eligibility) -> tuple[bool, str]:
    """Whether it was approved, and what ended it."""
    kept = type(row)._base_manager.get(pk=row.pk)
    return kept.approved_at is not None, kept.ended_cause


APPROVED, DECLINED = (True, ""), (False, "declined")


@race(lists.propose_role)
def a_role_is_proposed(world: World) -> Raced:
    said: Said = {"person": world.zoe, "role": "approver", "system": world.system}
    return Raced(
        [does(lists.propose_role, by=actor(who), **said) for who in (world.pia, world.quinn)],
        lambda: RoleAssignment.objects.filter(person=world.zoe).count(),
        {("propose_role",): 1},
    )


@race(lists.approve_role, lists.decline_role)
def a_role_waits(world: World) -> Raced:
    row = lists.propose_role(by=actor(world.pia), person=world.zoe, role="approver", system=world.system)
    return Raced(
        [
            does(lists.approve_role, by=actor(world.quinn), assignment=row),
            does(lists.decline_role, by=actor(world.quinn), assignment=row),
            does(lists.decline_role, by=actor(world.pia), assignment=row),
        ],
        lambda: stands(row),
        {("approve_role",): APPROVED, ("decline_role",): DECLINED},
    )


@race(narrowing.end_role, narrowing.withdraw_role, narrowing.shorten_role)
def a_role_ends(world: World) -> Raced:
    row, later = RoleAssignment.objects.get(person=world.ben), now() + timedelta(days=9)
    return Raced(
        [
            does(narrowing.end_role, by=actor(world.pia), assignment=row, wrote=["role.ended"]),
            does(narrowing.withdraw_role, by=actor(world.mo), assignment=row, cause="revoked", wrote=["role.ended"]),
            does(narrowing.end_role, by=actor(world.quinn), assignment=row, wrote=["role.ended"]),
            does(narrowing.shorten_role, by=actor(world.mo), assignment=row, to_at=later, wrote=["role.shortened"]),
        ],
        lambda: stands(row),
        {
            ("end_role",): (True, "ended"), ("end_role", "shorten_role"): (True, "ended"),
            ("withdraw_role",): (True, "revoked"), ("shorten_role", "withdraw_role"): (True, "revoked"),
        },
    )  # fmt: skip


@race(lists.lend_role)
def two_lend_to_the_same(world: World) -> Raced:
    said: Said = {"to": world.zoe, "system": world.system, "from_at": now(), "to_at": now() + timedelta(days=3)}
    return Raced(
        [does(lists.lend_role, by=actor(who), **said) for who in (world.ines, world.jon)],
        lambda: RoleAssignment.objects.filter(person=world.zoe).count(),
        {("lend_role",): 1},
    )


@race(lists.approve_role, lists.decline_role, lists.take_back)
def a_loan_waits(world: World) -> Raced:
    days: Said = {"from_at": now(), "to_at": now() + timedelta(days=3)}
    row = lists.lend_role(by=actor(world.ines), to=world.zoe, system=world.system, **days)
    return Raced(
        [
            does(lists.approve_role, by=actor(world.quinn), assignment=row),
            does(lists.decline_role, by=actor(world.pia), assignment=row),
            does(lists.take_back, by=actor(world.ines), assignment=row, wrote=["role.declined"]),
        ],
        lambda: stands(row),
        {
            ("approve_role",): APPROVED, ("decline_role",): DECLINED, ("take_back",): DECLINED,
            ("approve_role", "take_back"): (True, "taken back"),
        },
        writes={("approve_role", "take_back"): ["role.granted", "role.ended"]},
    )  # fmt: skip


@race(lists.propose_eligibility)
def an_eligibility_is_proposed(world: World) -> Raced:
    said: Said = {"person": world.zoe, "privilege": world.privilege}
    return Raced(
        [does(lists.propose_eligibility, by=actor(who), **said) for who in (world.pia, world.quinn, world.mo)],
        lambda: Eligibility.objects.filter(person=world.zoe).count(),
        {("propose_eligibility",): 1},
    )


@race(lists.approve_eligibility, lists.decline_eligibility)
def an_eligibility_waits(world: World) -> Raced:
    row = lists.propose_eligibility(by=actor(world.pia), person=world.zoe, privilege=world.privilege)
    return Raced(
        [
            does(lists.approve_eligibility, by=actor(world.quinn), eligibility=row),
            does(lists.decline_eligibility, by=actor(world.pia), eligibility=row),
            does(lists.approve_eligibility, by=actor(world.mo), eligibility=row),
        ],
        lambda: stands(row),
        {("approve_eligibility",): APPROVED, ("decline_eligibility",): DECLINED},
    )


@race(
    narrowing.revoke_eligibility,
    narrowing.shorten_eligibility,
    lists.reconfirm_eligibility,
    lists.reconfirm_eligibilities,
)
def an_eligibility_ends(world: World) -> Raced:
    row, soon = Eligibility.objects.get(person=world.ben), now() + timedelta(days=9)
    return Raced(
        [
            does(narrowing.revoke_eligibility, by=actor(world.pia), eligibility=row, wrote=["eligibility.revoked"]),
            does(narrowing.shorten_eligibility, by=actor(world.quinn), eligibility=row, to_at=soon, wrote=["eligibility.shortened"]),
            does(lists.reconfirm_eligibility, by=actor(world.mo), eligibility=row),
            does(lists.reconfirm_eligibilities, by=actor(world.mo), eligibilities=[row.pk]),
            does(narrowing.revoke_eligibility, by=actor(world.kim), eligibility=row, wrote=["eligibility.revoked"]),
        ],
        lambda: stands(row),
        dict.fromkeys((("revoke_eligibility",), ("revoke_eligibility", "shorten_eligibility")), (True, "revoked")),
        free=frozenset({"reconfirm_eligibility", "reconfirm_eligibilities"}),
    )  # fmt: skip


def _in_force(world: World) -> list[int]:
    rows = PolicyVersion.objects.filter(system=world.system, effective_from__isnull=False, effective_to__isnull=True)
    return list(rows.values_list("number", flat=True))


@race(policies.approve, policies.decline)
def a_policy_waits(world: World) -> Raced:
    row = policies.propose(by=actor(world.pia), system=world.system, policy=Policy(max_grant_minutes=90))
    return Raced(
        [
            does(policies.approve, by=actor(world.quinn), version=row, instead_of=world.policy.pk),
            does(policies.decline, by=actor(world.pia), version=row),
            does(policies.decline, by=actor(world.quinn), version=row),
        ],
        lambda: _in_force(world),
        {("approve",): [2], ("decline",): [1]},
    )


@race(policies.approve)
def two_policies_wait(world: World) -> Raced:
    """Each was looked at beside the one in force, so that only one of them takes its place."""
    rows = [
        policies.propose(by=actor(world.pia), system=world.system, policy=Policy(max_grant_minutes=minutes))
        for minutes in (80, 90)
    ]
    return Raced(
        [
            does(
                policies.approve, by=actor(world.quinn), version=row, instead_of=world.policy.pk, called=f"{row.number}"
            )
            for row in rows
        ],
        lambda: _in_force(world),
        {("2",): [2], ("3",): [3]},
    )


@race(policies.propose)
def policies_are_numbered(world: World) -> Raced:
    said: Said = {"system": world.system, "policy": Policy(max_grant_minutes=90)}
    return Raced(
        [does(policies.propose, by=actor(who), **said) for who in (world.pia, world.quinn)],
        lambda: [each == place for place, each in enumerate(_numbers(world), 1)].count(False),
        {(): 0},
        free=frozenset({"propose"}),
    )


def _numbers(world: World) -> list[int]:
    return sorted(PolicyVersion.objects.filter(system=world.system).values_list("number", flat=True))


def _privilege() -> dict[str, str]:
    return {"name": "Read everything", "on_target": "read_all", "description": ""}


@race(systems.approve, systems.decline)
def a_change_of_a_system_waits(world: World) -> Raced:
    row = systems.propose(by=actor(world.pia), kind=systems.PRIVILEGE, system=world.system, after=_privilege())
    return Raced(
        [
            does(systems.approve, by=actor(world.quinn), change=row, wrote=["privilege.added"]),
            does(systems.decline, by=actor(world.pia), change=row),
            does(systems.decline, by=actor(world.mo), change=row),
        ],
        lambda: (Privilege.objects.count(), ProposedChange.objects.get().decision),
        {("approve",): (2, "approve"), ("decline",): (1, "decline")},
    )


@race(systems.approve)
def the_same_privilege_waits_twice(world: World) -> Raced:
    said: Said = {"kind": systems.PRIVILEGE, "system": world.system, "after": _privilege()}
    rows = [systems.propose(by=actor(world.pia), **said) for _ in range(2)]
    return Raced(
        [does(systems.approve, by=actor(world.quinn), change=row, wrote=["privilege.added"]) for row in rows],
        Privilege.objects.count,
        {("approve",): 2},
    )
