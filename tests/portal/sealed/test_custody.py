"""A sealed account from asking to the new secret: one holder at a time, two people for each showing, and what is owed afterwards."""

import itertools
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.db import connection, transaction

from audit.log.append import LogUnavailable
from audit.log.read import named
from portal.clock import now
from portal.connectors.sealed.simulated import SimulatedKeeper
from portal.connectors.simulated import activity
from portal.eligibility.models import RoleAssignment
from portal.errors import ChangedMeanwhile, NotAllowed, RefusedByPolicy, StepUpNeeded, WrongState
from portal.grants import actions, authorising, ending, narrowing, opening
from portal.grants.models import Grant, Release
from portal.grants.releasing import release
from portal.notifications.models import Alert
from portal.people.models import Person
from portal.sealed import actions as sealed
from portal.sealed import rotating, rotations
from portal.sealed.models import CHANGED, CONNECTOR, CUSTODIAN, Rotation
from portal.systems.targets import target
from tests.at_once import at_once
from tests.browsing import browser_of
from tests.factories import broken_log
from tests.portal.sealed.vault import LOGIN, NEXT, SECRET, Vault, give_role, make_vault
from tests.servers import wait_until
from tests.worlds import actor, authorised, names_of, opened, overdue, request_of, sealing

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _sealing() -> Iterator[None]:
    with sealing():
        yield


@pytest.fixture
def vault() -> Vault:
    return make_vault()


def shown(vault: Vault, by: str = "ann") -> Grant:
    """Open, released by Ines, and shown."""
    grant = opened(vault.world, by)
    release(by=actor(vault.world.ines), grant=grant)
    assert actions.reveal(by=actor(vault.world.people[by]), grant=grant).reveal() == SECRET
    return grant


def over(vault: Vault, grant: Grant) -> Grant:
    """Checked in and read back."""
    actions.give_back(by=actor(grant.person), grant=grant)
    return ending.run(grant.pk)


def test_whole_way_leaves_each_event_once(vault: Vault) -> None:
    grant = over(vault, shown(vault))
    assert grant.state == "ended"
    told = [name for name in names_of(grant.request_id) if name.startswith(("sealed.", "grant."))]
    assert told == [
        "sealed.checked_out", "grant.authorised", "grant.opening", "grant.activated", "sealed.released", "grant.revealed", "grant.returned",
        "grant.closing", "grant.read_back", "sealed.rotation_owed", "sealed.checked_in", "grant.ended",
    ]  # fmt: skip
    account = vault.account
    assert (account.state, account.held_by, account.grant_id) == ("sealed", None, None)
    owed = Rotation.objects.get(account=account, cause="used")
    assert (owed.state, owed.grant_id) == ("owed", grant.pk)
    assert Alert.objects.filter(kind="sealed.rotation_owed", grant_id=grant.pk).get().recipient == vault.cleo


@pytest.mark.parametrize("mode", ["approved", "bypass"])
def test_one_holder_at_a_time(vault: Vault, mode: str) -> None:
    grant, waiting = opened(vault.world), request_of(vault.world, "ben")
    ines, ben = actor(vault.world.ines), actor(vault.world.ben)
    second: dict[str, Callable[[], Grant | None]] = {
        "bypass": lambda: authorising.bypass(
            by=ben, privilege=vault.world.privilege, asked=vault.world.asked("bypass")
        ),
        "approved": lambda: authorising.approve(by=ines, request=waiting),
    }
    with pytest.raises(WrongState, match="Somebody else holds") as refused:
        second[mode]()
    assert refused.value.kind == "held"
    assert Grant.objects.count() == 1
    over(vault, grant)
    assert authorising.approve(by=ines, request=waiting) is not None
    assert vault.account.held_by == vault.world.ben


def test_bypass_of_an_account_that_is_held_comes_back_with_what_was_typed(vault: Vault) -> None:
    opened(vault.world)
    said = {"criterion": "outage", "reason": "Writes fail on <all> of them.", "minutes": "30"}
    answer = browser_of(vault.world.ben).post(f"/requests/bypass/?privilege={vault.world.privilege.pk}", said)
    page = answer.content.decode()
    assert (answer.status_code, "Somebody else holds" in page) == (409, True)
    assert "Writes fail on &lt;all&gt; of them.</textarea>" in page


def test_race_for_an_account_has_one_winner(vault: Vault) -> None:
    requests = itertools.cycle([request_of(vault.world, who) for who in ("ann", "ben")])
    got = at_once(8, lambda: authorising.approve(by=actor(vault.world.ines), request=next(requests)))
    assert [isinstance(each, Grant) for each in got].count(True) == 1
    assert {type(each) for each in got} - {Grant} <= {WrongState, ChangedMeanwhile}
    assert Grant.objects.filter(account=vault.account).count() == 1


def taken(grant: Grant) -> dict[str, object]:
    """What the log says of sealed.checked_out beside who and when."""
    said = [event for event in named(("sealed.checked_out",)) if event.fields["grant_id"] == str(grant.pk)][-1].fields
    return {name: value for name, value in said.items() if name in ("secret_known", "earlier_grants")}


def test_account_is_not_lent_while_a_secret_that_was_shown_still_works(vault: Vault) -> None:
    world, first = vault.world, over(vault, shown(vault))
    waiting, ines, ben = request_of(world, "ben"), actor(world.ines), actor(world.ben)
    with pytest.raises(WrongState, match="Cleo is to give it a new one") as refused:
        authorising.approve(by=ines, request=waiting)
    assert (refused.value.kind, vault.account.state, Grant.objects.count()) == ("shown", "sealed", 1)
    vault.set_on_target(NEXT)
    rotations.lay_in(by=actor(vault.cleo), account=vault.account, secret=NEXT)
    second = authorising.approve(by=ines, request=waiting)
    assert second is not None
    assert (taken(first), taken(second)) == ({}, {})
    assert not Alert.objects.filter(kind="sealed.lent_while_known").exists()
    actions.revoke(by=actor(world.mo), grant=second, reason="Not needed.")
    rotations.note_test(by=actor(vault.cleo), account=vault.account, taken=False)
    with pytest.raises(WrongState, match="still works"):
        authorising.approve(
            by=ines, request=request_of(world, "ben", reason="Asked once more, after the test that failed.")
        )
    assert authorising.bypass(by=ben, privilege=world.privilege, asked=world.asked("bypass")).account == vault.account


def test_bypass_takes_it_all_the_same_and_the_record_says_whose_sessions_they_may_be(vault: Vault) -> None:
    world, first = vault.world, over(vault, shown(vault))
    second = authorising.bypass(by=actor(world.ben), privilege=world.privilege, asked=world.asked("bypass"))
    assert taken(second) == {"secret_known": 1, "earlier_grants": [str(first.pk)]}
    told = Alert.objects.filter(kind="sealed.lent_while_known", grant_id=second.pk)
    assert sorted(each.recipient.name if each.recipient else "list" for each in told) == ["Cleo", "Mo", "list"]
    assert vault.account.held_by == world.ben


def test_secret_takes_two_people_each_time(vault: Vault) -> None:
    world, grant = vault.world, opened(vault.world)
    with pytest.raises(WrongState, match="second person"):
        actions.reveal(by=actor(world.ann), grant=grant)
    for person, error in ((world.ann, NotAllowed), (world.ben, NotAllowed), (world.zoe, NotAllowed)):
        with pytest.raises(error):
            release(by=actor(person), grant=grant)
    with pytest.raises(StepUpNeeded):
        release(by=actor(world.ines, age_s=3600), grant=grant)
    release(by=actor(world.ines), grant=grant)
    with pytest.raises(ChangedMeanwhile):
        release(by=actor(vault.cleo), grant=grant)
    with pytest.raises(StepUpNeeded):
        actions.reveal(by=actor(world.ann, method=None), grant=grant)
    with pytest.raises(NotAllowed):
        actions.reveal(by=actor(world.ines), grant=grant)
    assert actions.reveal(by=actor(world.ann), grant=grant).reveal() == SECRET
    Grant.objects.filter(pk=grant.pk).update(revealed_at=None)  # as if some seconds had gone by
    with pytest.raises(WrongState, match="second person"):
        actions.reveal(by=actor(world.ann), grant=grant)


def test_release_that_nobody_used_in_time_is_none(vault: Vault) -> None:
    grant = opened(vault.world)
    made = release(by=actor(vault.world.ines), grant=grant)
    Release.objects.filter(pk=made.pk).update(at=made.at.replace(year=made.at.year - 1))
    with pytest.raises(WrongState, match="second person"):
        actions.reveal(by=actor(vault.world.ann), grant=grant)
    assert release(by=actor(vault.world.jon), grant=grant).used_at is None


def test_bypass_is_shown_to_one_person_and_everybody_is_told(vault: Vault) -> None:
    world = vault.world
    grant = opening.run(
        authorising.bypass(by=actor(world.ann), privilege=world.privilege, asked=world.asked("bypass")).pk
    )
    assert actions.reveal(by=actor(world.ann), grant=grant).reveal() == SECRET
    assert {"request.bypass_opened", "grant.opened"} <= set(
        Alert.objects.filter(grant_id=grant.pk).values_list("kind", flat=True)
    )
    assert not Alert.objects.filter(kind="sealed.release_wanted").exists()


def test_custodian_does_not_use_their_own_account(vault: Vault) -> None:
    account = vault.account
    account.custodian = vault.world.ann
    account.save()
    with pytest.raises(NotAllowed, match="custodian") as refused:
        request_of(vault.world)
    assert refused.value.kind == "own custody"


def test_holder_is_not_made_its_custodian_who_would_replace_what_they_used(vault: Vault) -> None:
    give_role(vault.world, vault.world.ann)
    shown(vault)
    with pytest.raises(WrongState, match="holds this account now"):
        sealed.hand_over(by=actor(vault.world.mo), account=vault.account, custodian=vault.world.ann)
    assert (vault.account.custodian, Rotation.objects.filter(cause="handed_over").count()) == (vault.cleo, 0)


def test_former_holder_is_not_made_its_custodian_while_the_secret_they_were_shown_still_works(vault: Vault) -> None:
    ann, ben, mo = vault.world.ann, vault.world.ben, actor(vault.world.mo)
    for person in (ann, ben):
        give_role(vault.world, person)
    over(vault, shown(vault))
    with pytest.raises(WrongState, match="still works") as refused:
        sealed.hand_over(by=mo, account=vault.account, custodian=ann)
    assert (refused.value.kind, vault.account.custodian) == ("shown", vault.cleo)
    vault.set_on_target(NEXT)
    rotations.lay_in(by=actor(vault.cleo), account=vault.account, secret=NEXT)
    assert sealed.hand_over(by=mo, account=vault.account, custodian=ann).custodian == ann


def test_who_leaves_at_the_same_moment_is_not_made_its_custodian(vault: Vault) -> None:
    dora, got = vault.world.dora, []

    def name_dora() -> None:
        got.append(
            at_once(1, lambda: sealed.hand_over(by=actor(vault.world.mo), account=vault.account, custodian=dora))
        )

    RoleAssignment.objects.filter(person=vault.world.pia).update(system=None)
    thread = threading.Thread(target=name_dora)
    with transaction.atomic():
        narrowing.note_leaving(by=actor(vault.world.pia), person=dora)
        thread.start()
        wait_until(lambda: got or waiting(), "whoever names her")
    thread.join(60)
    assert [type(each) for each in got[0]] == [RefusedByPolicy]
    assert vault.account.custodian == vault.cleo


def waiting() -> bool:
    """Whether somebody waits for a lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid()")
        return bool(cursor.fetchone()[0])


def leaves(person: Person) -> None:
    Person.objects.filter(pk=person.pk).update(left_at=now())


def loses_the_role(person: Person) -> None:
    RoleAssignment.objects.filter(role="custodian", person=person).update(to_at=now())


@pytest.mark.parametrize("lose", [leaves, loses_the_role])
def test_owner_is_told_once_that_another_custodian_is_wanted(vault: Vault, lose: Callable[[Person], None]) -> None:
    page = f"/sealed/{vault.account.pk}/"
    rotating.run_due()
    assert "Another custodian is wanted" not in browser_of(vault.world.mo).get(page).content.decode()
    lose(vault.cleo)
    with broken_log():
        rotating.run_due()
    assert not Alert.objects.filter(kind="sealed.custodian_missing").exists()
    rotating.run_due()
    rotating.run_due()
    alert = Alert.objects.get(kind="sealed.custodian_missing")
    assert (alert.recipient, alert.path, alert.facts["people"]) == (vault.world.mo, page, ["Cleo"])
    assert "Another custodian is wanted" in browser_of(vault.world.mo).get(page).content.decode()
    sealed.hand_over(by=actor(vault.world.mo), account=vault.account, custodian=vault.world.dora)
    rotating.run_due()
    assert Alert.objects.filter(kind="sealed.custodian_missing").count() == 1
    lose(vault.world.dora)
    rotating.run_due()
    said = [event.fields["custodians"] for event in named(("sealed.custodian_missing",))]
    assert said == [[str(vault.cleo.pk)], [str(vault.world.dora.pk)]]


def test_account_that_was_not_shown_owes_nothing(vault: Vault) -> None:
    over(vault, opened(vault.world))
    assert not Rotation.objects.filter(cause="used").exists()


@pytest.mark.parametrize("how", ["time over", "ended by another before it was opened"])
def test_account_comes_back_whatever_ends_the_access(vault: Vault, how: str) -> None:
    if how == "time over":
        ending.run(overdue(opened(vault.world)).pk)
    else:
        actions.revoke(by=actor(vault.world.mo), grant=authorised(vault.world), reason="Not needed.")
    assert vault.account.state == "sealed"


def test_sessions_are_cut_at_the_end(vault: Vault) -> None:
    grant = shown(vault)
    activity.log_in(target(vault.world.system), login=LOGIN)
    ended = over(vault, grant)
    assert (ended.state, ended.marker) == ("ended", LOGIN)


def test_nothing_changes_where_the_log_refuses(vault: Vault) -> None:
    grant = opened(vault.world)
    with broken_log(), pytest.raises(LogUnavailable):
        release(by=actor(vault.world.ines), grant=grant)
    assert not Release.objects.exists()


# --- where the portal keeps the account itself


@pytest.fixture
def kept() -> Vault:
    return make_vault(CONNECTOR)


def test_portal_lays_the_first_secret_in_itself_and_shuts_the_account(kept: Vault) -> None:
    first = Rotation.objects.get(account=kept.account)
    assert (first.state, first.rotated_by, first.tested_by) == ("done", "connector", "connector")
    assert kept.account.secret is not None
    assert not kept.taken_by_target("anything")


def test_portal_gives_a_new_secret_after_each_showing(kept: Vault) -> None:
    grant = opened(kept.world)
    release(by=actor(kept.world.ines), grant=grant)
    secret = actions.reveal(by=actor(kept.world.ann), grant=grant).reveal()
    assert kept.taken_by_target(secret)
    ended = over(kept, grant)
    assert ended.state == "ended"
    assert not kept.has_secret(secret)
    rotation = Rotation.objects.get(grant_id=grant.pk)
    assert (rotation.state, rotation.rotated_by) == ("done", "connector")
    assert rotation.rotated_at is not None
    assert rotation.tested_at is not None
    assert rotation.tested_at > rotation.rotated_at
    told = [name for name in names_of(grant.request_id) if name.startswith("sealed.")][-5:]
    assert told == [
        "sealed.rotation_begun",
        "sealed.rotation_owed",
        "sealed.checked_in",
        "sealed.rotated",
        "sealed.tested",
    ]
    again = opened(kept.world, "ben")
    release(by=actor(kept.world.ines), grant=again)
    assert kept.taken_by_target(actions.reveal(by=actor(kept.world.ben), grant=again).reveal())


def test_rotation_that_broke_off_is_finished_before_the_account_opens(kept: Vault) -> None:
    from portal.sealed.rotations import begin, next_secret_of

    begun = begin(by=rotating.ROTATION, account_id=kept.account.pk)
    coming = next_secret_of(begun).reveal()
    grant = opened(kept.world)
    release(by=actor(kept.world.ines), grant=grant)
    assert actions.reveal(by=actor(kept.world.ann), grant=grant).reveal() == coming
    assert kept.taken_by_target(coming)


def test_secret_that_the_target_refuses_is_tried_again_later_and_later(
    kept: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SimulatedKeeper, "tries_login", lambda *_args: False)
    owed = Rotation.objects.create(account=kept.account, cause=CHANGED, owed_at=now(), due_at=now())
    waits = []
    for _ in range(3):
        assert (rotating.run_due(), rotating.run_due()) == (1, 0)
        owed.refresh_from_db()
        assert owed.next_try_at is not None
        waits.append((owed.attempts, owed.next_try_at - now() > timedelta(seconds=20)))
        Rotation.objects.filter(pk=owed.pk).update(next_try_at=now())
    assert waits == [(1, False), (2, True), (3, True)]


def test_sweep_leaves_an_account_alone_that_somebody_holds(kept: Vault) -> None:
    opened(kept.world)
    Rotation.objects.create(account=kept.account, cause=CUSTODIAN[:7], owed_at=now(), due_at=now())
    assert rotating.run_due() == 0
    assert rotating.run(kept.account.pk).state == "held"


def test_case_says_that_a_shown_secret_works_until_it_is_replaced(vault: Vault) -> None:
    auditor, grant = browser_of(vault.world.otto), over(vault, shown(vault))
    address, known = f"/cases/{grant.request_id}/", "The secret was shown, and works until it is replaced"

    def pages() -> tuple[str, str]:
        return auditor.get(address).content.decode(), auditor.get("/sealed/").content.decode()

    case, register = pages()
    assert (known in case, "A new secret is owed since" in case, "neither login" in case) == (True, True, False)
    assert ("New secret owed" in register, ">Sealed<" in register) == (True, False)
    vault.set_on_target(NEXT)
    rotations.lay_in(by=actor(vault.cleo), account=vault.account, secret=NEXT)
    rotations.note_test(by=actor(vault.cleo), account=vault.account, taken=True)
    case, register = pages()
    assert (known in case, "The secret that was shown works no more" in case) == (False, True)
    assert ("New secret owed" in register, ">Sealed<" in register) == (False, True)


def test_form_of_a_sealed_account_says_who_releases_and_how_often_it_is_shown(vault: Vault) -> None:
    ann, privilege = browser_of(vault.world.ann), vault.world.privilege.pk
    said = {mode: ann.get(f"/requests/{mode}/?privilege={privilege}").content.decode() for mode in ("new", "bypass")}
    once = "somebody other than you must release its secret"
    assert (once in said["new"], once in said["bypass"]) == (True, False)
    assert "its secret is shown to you without a second person" in said["bypass"]
    page = f"/requests/{shown_to(vault).request_id}/"
    assert "To see it again, a second person must release it again." in ann.get(page).content.decode()


def shown_to(vault: Vault) -> Grant:
    """Open and released, and not shown yet."""
    grant = opened(vault.world)
    release(by=actor(vault.world.ines), grant=grant)
    return grant
