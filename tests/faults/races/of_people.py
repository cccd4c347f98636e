"""People: added, leaving, their factors and sign-ins, whom they report to, and the lists of the personnel office."""

import json
from datetime import timedelta

from audit.log.append import process
from portal.clock import now
from portal.eligibility import founding, resetting
from portal.eligibility.models import Eligibility, RoleAssignment
from portal.grants import narrowing
from portal.people import actions as people
from portal.people import factors, own_passkeys, passkeys, reporting, sponsoring
from portal.people.models import FactorReset, Passkey, Person, SignIn, Sponsorship
from portal.personnel import actions as personnel
from portal.personnel.models import PersonnelList
from tests.authenticator import Authenticator
from tests.factories import code_from, enrol, passkey_of
from tests.faults.races.racing import Raced, Said, does, race
from tests.portal.personnel.listed import content, plan, read
from tests.worlds import World, actor


def everywhere(world: World) -> World:
    """Pia and Quinn administer everything."""
    RoleAssignment.objects.filter(person__in=[world.pia, world.quinn]).update(system=None)
    return world


@race(people.add_person)
def somebody_is_added(world: World) -> Raced:
    everywhere(world)
    said: Said = {"name": "Vera", "email": "vera@example.org", "wrote": ["person.added", "password.given"]}
    return Raced(
        [does(people.add_person, by=actor(who), **said) for who in (world.pia, world.quinn)],
        Person.objects.filter(email="vera@example.org").count,
        {("add_person",): 1},
    )


@race(narrowing.note_leaving)
def somebody_leaves(world: World) -> Raced:
    everywhere(world)
    wrote = ["person.left", "role.ended", "eligibility.revoked"]
    return Raced(
        [does(narrowing.note_leaving, by=actor(who), person=world.ben, wrote=wrote) for who in (world.pia, world.quinn)],
        lambda: Eligibility.objects.get(person=world.ben).ended_cause,
        {("note_leaving",): "left"},
    )  # fmt: skip


@race(narrowing.note_contract_end)
def a_contract_has_ended(world: World) -> Raced:
    sponsoring.begin(world.ben, world.mo, now(), now())
    wrote = ["person.contract_ended", "role.ended", "eligibility.revoked"]
    return Raced(
        [does(narrowing.note_contract_end, by=process("sweep"), person=world.ben, at=now(), wrote=wrote)],
        lambda: Eligibility.objects.get(person=world.ben).ended_cause,
        {("note_contract_end",): "contract ended"},
    )


@race(people.enrol_factor)
def an_authenticator_is_enrolled(world: World) -> Raced:
    key = factors.new_key()
    said: Said = {"person": world.ben, "key": key, "code": code_from(key)}
    return Raced(
        [does(people.enrol_factor, by=actor(world.ben, method=None), **said, wrote=["factor.enrolled"])],
        lambda: factors.is_enrolled(world.ben),
        {("enrol_factor",): True},
    )


@race(own_passkeys.remove_passkey, own_passkeys.rename_passkey)
def a_passkey_is_removed(world: World) -> Raced:
    enrol(world.ben)
    key, by = passkey_of(world.ben), actor(world.ben, method="webauthn")
    return Raced(
        [
            does(own_passkeys.remove_passkey, by=by, passkey=key),
            does(own_passkeys.rename_passkey, by=by, passkey=key, name="Red key"),
        ],
        Passkey.objects.count,
        {("remove_passkey",): 0},
        free=frozenset({"rename_passkey"}),
    )


@race(own_passkeys.remove_passkey)
def the_last_two_passkeys_are_removed(world: World) -> Raced:
    """Without an authenticator, one of them stays."""
    rows = [passkey_of(world.ben, name=name) for name in ("Blue key", "Red key")]
    by = actor(world.ben, method="webauthn")
    return Raced(
        [does(own_passkeys.remove_passkey, by=by, passkey=row) for row in rows],
        Passkey.objects.count,
        {("remove_passkey",): 1},
    )


@race(reporting.set_manager)
def two_report_to_each_other(world: World) -> Raced:
    by = actor(everywhere(world).pia)
    return Raced(
        [
            does(reporting.set_manager, by=by, person=world.ann, manager=world.ben, called="Ann"),
            does(reporting.set_manager, by=by, person=world.ben, manager=world.ann, called="Ben"),
        ],
        Person.objects.filter(manager__isnull=False).count,
        {("Ann",): 1, ("Ben",): 1},
    )


@race(sponsoring.sponsor)
def a_sponsor_is_named(world: World) -> Raced:
    outside: Said = {"third_party": True, "sponsor": world.lea, "contract_end": now() + timedelta(days=9)}
    person, _ = people.add_person(by=actor(everywhere(world).pia), name="Vera", email="vera@example.org", **outside)
    said: Said = {
        "person": person,
        "sponsor": world.kim,
        "contract_end": now() + timedelta(days=30),
        "reason": "Longer.",
    }
    return Raced(
        [does(sponsoring.sponsor, by=actor(who), **said) for who in (world.pia, world.quinn)],
        lambda: Sponsorship.objects.filter(person=person, until_at__isnull=True).count(),
        {("sponsor",): 1},
    )


@race(resetting.propose)
def a_reset_is_proposed(world: World) -> Raced:
    enrol(everywhere(world).ben)
    said: Said = {"person": world.ben, "reason": "The phone is gone."}
    return Raced(
        [does(resetting.propose, by=actor(who), **said) for who in (world.pia, world.quinn)],
        FactorReset.objects.count,
        {("propose",): 1},
    )


@race(resetting.approve, resetting.decline, resetting.cancel)
def a_reset_waits(world: World) -> Raced:
    enrol(everywhere(world).ben)
    row = resetting.propose(by=actor(world.pia), person=world.ben, reason="The phone is gone.")
    return Raced(
        [
            does(resetting.approve, by=actor(world.quinn), reset=row, wrote=["factor.reset_approved"]),
            does(resetting.decline, by=actor(world.pia), reset=row),
            does(resetting.cancel, by=actor(world.ben), reset=row),
            does(resetting.approve, by=actor(world.mo), reset=row, wrote=["factor.reset_approved"]),
        ],
        lambda: FactorReset.objects.get().state,
        {
            ("approve",): "cooling", ("decline",): "declined", ("cancel",): "cancelled",
            ("approve", "cancel"): "cancelled",
        },
    )  # fmt: skip


@race(resetting.lapse, resetting.cancel)
def a_reset_lapses(world: World) -> Raced:
    enrol(everywhere(world).ben)
    row = resetting.propose(by=actor(world.pia), person=world.ben, reason="The phone is gone.")
    FactorReset.objects.update(proposed_at=now() - timedelta(days=60))
    return Raced(
        [
            does(resetting.lapse, by=process("sweep"), reset=row),
            does(resetting.cancel, by=actor(world.ben), reset=row),
        ],
        lambda: FactorReset.objects.get().state,
        {("lapse",): "lapsed", ("cancel",): "cancelled"},
    )


@race(personnel.confirm, personnel.discard)
def a_personnel_list_waits(world: World) -> Raced:
    given = content(everywhere(world), without=("zoe",))
    row, shown = read(world, given), plan(given).fingerprint
    wrote = ["personnel.imported", "person.left", *["person.placed"] * 10]
    confirms = [
        does(personnel.confirm, by=actor(who), row=row, shown=shown, wrote=wrote) for who in (world.pia, world.quinn)
    ]
    return Raced(
        [*confirms, does(personnel.discard, by=actor(world.pia), row=row)],
        lambda: (PersonnelList.objects.get().decided_at is not None, Person.objects.filter(left_at__isnull=False).count()),
        {("confirm",): (True, 1), ("discard",): (True, 0)},
    )  # fmt: skip


@race(personnel.confirm)
def a_large_personnel_list_takes_two(world: World) -> Raced:
    given = content(everywhere(world), without=("zoe", "ann", "ben"))
    row, shown = read(world, given), plan(given).fingerprint
    acts = [
        does(personnel.confirm, by=actor(who), row=row, shown=shown, called=who.name, wrote=["personnel.imported"])
        for who in (world.pia, world.quinn)
    ]
    carried_out = [
        "personnel.second_asked", "personnel.imported", *["person.left"] * 3, *["role.ended", "eligibility.revoked"] * 2, *["person.placed"] * 8
    ]  # fmt: skip
    return Raced(
        acts,
        Person.objects.filter(left_at__isnull=False).count,
        {("Pia", "Quinn"): 3},
        writes={("Pia", "Quinn"): carried_out},
    )


@race(people.end_sign_in)
def a_sign_in_is_ended(world: World) -> Raced:
    enrol(world.ben)
    by = actor(world.ben)
    at = now()
    row = SignIn.objects.create(
        person=world.ben, browser_key="key", opened_at=at, seen_at=at, factor="totp", strong_at=at
    )
    return Raced(
        [does(people.end_sign_in, by=by, sign_in=row, cause=cause) for cause in ("signed out", "lost")],
        SignIn.objects.filter(ended_at__isnull=False).count,
        {("end_sign_in",): 1},
    )


@race(founding.found)
def the_portal_is_founded(world: World) -> Raced:
    first, second = (founding.Founder(each, f"{each.lower()}@example.net") for each in ("Ada", "Bob"))
    wrote = ["portal.founded", *["person.added", "password.given", "role.granted"] * 2]
    return Raced(
        [does(founding.found, by=process("host"), first=first, second=second, wrote=wrote)],
        RoleAssignment.objects.filter(founding=True).count,
        {("found",): 2},
    )


@race(personnel.read)
def personnel_lists_are_read(world: World) -> Raced:
    """Each is kept, and discards the one before that nobody decided on: one waits in the end."""
    said: Said = {"content": content(everywhere(world)), "query": "SELECT *", "taken_at": now()}
    read(world, said["content"])
    return Raced(
        [does(personnel.read, by=actor(who), **said, wrote=["personnel.read", "personnel.discarded"]) for who in (world.pia, world.quinn)],
        PersonnelList.objects.filter(decided_at__isnull=True).count,
        {(): 1},
        free=frozenset({"read"}),
    )  # fmt: skip


@race(own_passkeys.add_passkey)
def a_passkey_is_added(world: World) -> Raced:
    enrol(world.ben)
    told = json.loads(passkeys.creation_options(world.ben, world.ben.pk.hex))
    checked = passkeys.registered(world.ben, world.ben.pk.hex, Authenticator().create(told))
    said: Said = {"person": world.ben, "passkey": checked, "administrators": (), "name": "Blue key"}
    return Raced(
        [does(own_passkeys.add_passkey, by=actor(world.ben), **said)], Passkey.objects.count, {("add_passkey",): 1}
    )
