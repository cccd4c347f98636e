"""Sealed accounts are attested every 30 days: by whom, counted twice, and what each decision means for one."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from audit.log.append import LogUnavailable, clock
from portal.campaigns import actions, beginning, duties, removal, rules, sweep
from portal.campaigns.models import Campaign, Duty, Item
from portal.clock import ms, now
from portal.connectors.simulated import state
from portal.eligibility.models import Eligibility
from portal.errors import ChangedMeanwhile, NotAllowed, RefusedByPolicy, WrongState
from portal.findings.models import Finding
from portal.grants import ending
from portal.people.models import Person
from portal.sealed import actions as sealing_actions
from portal.sealed.models import CONNECTOR, CUSTODIAN, SealedAccount
from portal.systems.models import Privilege
from portal.systems.targets import target
from tests.browsing import browser_of
from tests.factories import broken_log
from tests.portal.campaigns.attested import at_line, begun, events_of, row_of, seen, stand
from tests.portal.sealed.vault import LOGIN, Vault, make_vault, registered
from tests.worlds import actor, make_world, opened, sealing

pytestmark = pytest.mark.django_db(transaction=True)
NOTE = "Replaced by an account of the new vault."


@pytest.fixture
def vault() -> Vault:
    return make_vault()


@pytest.fixture
def _sealing() -> Iterator[None]:
    with sealing():
        yield


def line(vault: Vault) -> Item:
    """Of Mo, who may decide on it."""
    campaign = seen(vault.world, begun(vault.world, kind="accounts"))
    return Item.objects.select_related("campaign__system").get(campaign=campaign)


def said(campaign: Campaign) -> tuple[int | None, str, str]:
    return campaign.second_count, campaign.second_source, campaign.second_says


def gone_from_target(vault: Vault) -> None:
    """As the owner of the target would remove it."""
    with state.changing(target(vault.world.system)) as database:
        database.execute("DELETE FROM login WHERE name = ?", [LOGIN])


def rights(vault: Vault) -> list[tuple[str, bool]]:
    """Who is on its list, and whether that was ended."""
    rows = Eligibility.objects.filter(privilege=vault.world.privilege).order_by("person__name")
    return [(row.person.name, row.ended_at is not None) for row in rows.select_related("person")]


# --- the list


def test_list_says_who_keeps_it_who_may_check_it_out_and_when_it_got_its_secret(vault: Vault) -> None:
    campaign = begun(vault.world, kind="accounts")
    item, account = Item.objects.get(campaign=campaign), vault.account
    assert (item.label, item.subject, item.person, item.facts["risk"]) == (
        f"The vault's administrator: {LOGIN}", str(account.pk), vault.cleo, "plain",
    )  # fmt: skip
    rotated = account.rotations.get()
    wanted = {
        "custodian": str(vault.cleo.pk), "location": "At the console.", "kept_by": CUSTODIAN, "uses": 0, "rotation_overdue": 0,
        "may_check_out": sorted(str(vault.world.people[name].pk) for name in ("ann", "ben")), "last_rotation": ms(rotated.rotated_at or now()),
    }  # fmt: skip
    assert {name: item.facts[name] for name in wanted} == wanted
    assert said(campaign) == (1, "target", "")
    (event,) = events_of(campaign, "campaign.started")
    assert (event.fields["kind"], event.fields["item_count"], event.fields["second_count"]) == ("accounts", 1, 1)


def test_it_is_owed_every_30_days_and_only_where_there_are_accounts(vault: Vault) -> None:
    sweep.run_due()
    duty = Duty.objects.get(subject_kind="accounts")
    assert (duty.system, duty.days_since_previous) == (vault.world.system, 30)
    assert duty.due_at - timedelta(days=30) == vault.account.decided_at
    other = make_world(slug="other", people=vault.world.people)
    sweep.run_due()
    assert not Duty.objects.filter(system=other.system, subject_kind="accounts").exists()
    with pytest.raises(WrongState, match="No account of this system"):
        duties.set_duty(by=sweep.SWEEP, system=other.system, kind="accounts")


def test_nothing_is_begun_or_missed_while_there_are_none_and_another_run_counts_anew(vault: Vault) -> None:
    sweep.run_due()
    first, began = Duty.objects.get(subject_kind="accounts"), now()
    sealing_actions.retire(by=actor(vault.world.mo), account=vault.account)
    with clock(lambda: ms(began + timedelta(days=20))):
        sweep.run_due()
        with pytest.raises(ChangedMeanwhile, match="out of use by now"):
            beginning.start(by=sweep.SWEEP, duty=first, listing=None)
    with clock(lambda: ms(began + timedelta(days=100))):
        sweep.run_due()
        with pytest.raises(ChangedMeanwhile):
            duties.note_missed(by=sweep.SWEEP, duty=first)
        SealedAccount.objects.update(account="an_older_one")
        Privilege.objects.filter(sealed_account__isnull=False).update(on_target="an_older_one")
        again = registered(vault.world, vault.cleo)
        sweep.run_due()
    duty = Duty.objects.filter(subject_kind="accounts").latest("due_at")
    assert (duty.counts_from, duty.days_since_previous) == (again.decided_at, 30)
    assert not Campaign.objects.filter(kind="accounts").exists()
    assert not Duty.objects.filter(subject_kind="accounts", missed_at__isnull=False).exists()


def test_other_lists_of_the_system_are_begun_whatever_became_of_its_accounts(vault: Vault) -> None:
    sweep.run_due()
    later = now() + timedelta(days=80)
    sealing_actions.retire(by=actor(vault.world.mo), account=vault.account)
    with clock(lambda: ms(later)):
        sweep.run_due()
    assert set(Campaign.objects.filter(system=vault.world.system).values_list("kind", flat=True)) == {
        "eligibility",
        "roles",
    }


def test_nobody_judges_an_account_in_which_they_have_a_part(vault: Vault) -> None:
    world = vault.world
    Person.objects.filter(pk=world.lea.pk).update(manager=world.ann)
    item = line(vault)
    assert item.reviewer == world.mo
    names = {str(person.pk): name for name, person in world.people.items()}
    assert {names[each] for each in rules.concerned_in(item)} == {"ann", "ben", "cleo", "lea", "pia", "quinn"}
    for by in (vault.cleo, world.ann, world.kim):
        with pytest.raises(NotAllowed):
            actions.keep(by=actor(by), item=item)


def test_target_counts_a_second_time_and_the_difference_is_said_both_ways(vault: Vault) -> None:
    gone_from_target(vault)
    stand(vault.world, "old_root")
    says = [
        f"1 line stands on the list and not on the target: The vault's administrator: {LOGIN}.",
        "1 line stands on the target like one and in no register: old_root.",
    ]
    assert said(begun(vault.world, kind="accounts")) == (1, "target", " ".join(says))


def test_line_is_news_when_somebody_else_may_check_it_out(vault: Vault) -> None:
    actions.close(by=actor(vault.world.mo), campaign=actions.keep(by=actor(vault.world.mo), item=line(vault)).campaign)
    assert line(vault).facts["since_last"] == "same"
    Campaign.objects.update(state="closed", closed_at=now(), closed_by=vault.world.mo, statement="x")
    Eligibility.objects.filter(person=vault.world.ben, privilege=vault.world.privilege).update(to_at=now())
    again = line(vault)
    assert (again.facts["since_last"], again.facts["risk"]) == ("changed", "raised")


# --- decisions


def test_kept_it_stays_as_it_is(vault: Vault) -> None:
    item = line(vault)
    actions.keep(by=actor(vault.world.mo), item=item)
    assert (row_of(item)["state"], vault.account.state, rights(vault)) == (
        "kept",
        "sealed",
        [("Ann", False), ("Ben", False)],
    )


@pytest.mark.usefixtures("_sealing")
def test_narrowed_nobody_may_check_it_out_from_then_on(vault: Vault) -> None:
    grant = opened(vault.world, minutes=30)
    item, end = line(vault), now() + timedelta(minutes=5)
    actions.modify(by=actor(vault.world.mo), item=item, to_at=end, reason=NOTE)
    assert set(Eligibility.objects.filter(privilege=vault.world.privilege).values_list("to_at", flat=True)) == {end}
    removal.run(item.pk)
    grant.refresh_from_db()
    assert (grant.state, vault.account.state, row_of(item)["access_present"]) == ("ended", "sealed", False)
    again = line_again(vault)
    with pytest.raises(RefusedByPolicy, match="Nobody may check it out beyond"):
        actions.modify(by=actor(vault.world.mo), item=again, to_at=end + timedelta(days=1), reason=NOTE)


def line_again(vault: Vault) -> Item:
    Campaign.objects.update(state="closed", closed_at=now(), closed_by=vault.world.mo, statement="x")
    return line(vault)


def test_revoked_it_goes_out_of_use_and_the_target_is_watched_until_its_owner_removed_it(vault: Vault) -> None:
    item = line(vault)
    actions.revoke(by=actor(vault.world.mo), item=item, reason=NOTE)
    account = vault.account
    assert (account.state, account.secret, rights(vault)) == ("retired", None, [("Ann", True), ("Ben", True)])
    assert [(each.kind, each.owner, LOGIN in each.title) for each in Finding.objects.all()] == [
        ("standing_access", vault.world.mo, False)
    ]
    sweep.run_due()
    assert (row_of(item)["removed_at"], row_of(item)["access_present"]) == (None, None)
    gone_from_target(vault)
    vault.world.system.listings.update(taken_at=now() - timedelta(hours=1))
    sweep.run_due()
    done, read = events_of(item, "campaign.removal_done", "campaign.removal_read_back")
    assert (done.fields["done_by"], read.fields["read_back_by"], read.fields["access_present"]) == (
        "owner of billing", "process:campaigns", 0,
    )  # fmt: skip


@pytest.mark.usefixtures("_sealing")
def test_revoked_while_somebody_holds_it_it_comes_back_first_and_the_target_shows_it_shut() -> None:
    vault = make_vault(CONNECTOR)
    grant = opened(vault.world)
    assert vault.account.state == "held"
    item = line(vault)
    actions.revoke(by=actor(vault.world.mo), item=item, reason=NOTE)
    grant.refresh_from_db()
    assert (grant.state, vault.account.state) == ("closing", "held")
    ending.run(grant.pk)
    removal.run(item.pk)
    assert (vault.account.state, row_of(item)["access_present"], Finding.objects.count()) == ("retired", False, 0)
    done, read = events_of(item, "campaign.removal_done", "campaign.removal_read_back")
    assert (done.fields["done_by"], read.fields["access_present"]) == (str(vault.world.mo.pk), 0)


@pytest.mark.parametrize("act", ["modify", "revoke"])
def test_log_that_cannot_be_written_changes_nothing(vault: Vault, act: str) -> None:
    item = line(vault)
    before = (row_of(item), rights(vault), vault.account.state)
    more = {"to_at": now() + timedelta(days=1)} if act == "modify" else {}
    with broken_log(), pytest.raises(LogUnavailable):
        getattr(actions, act)(by=actor(vault.world.mo), item=item, reason=NOTE, **more)
    assert (row_of(item), rights(vault), vault.account.state) == before


# --- its page


def test_page_names_keeper_place_and_who_may_check_it_out(vault: Vault) -> None:
    item, mo = line(vault), browser_of(vault.world.mo)
    page = mo.get(f"/campaigns/lines/{item.pk}/").content.decode()
    for words in (
        "<dt>Kept by</dt><dd>Cleo. At the console.",
        "<dt>May check it out</dt><dd>Ann, Ben</dd>",
        "it goes out of use for good",
    ):
        assert words in page, words
    assert "Sealed accounts" in mo.get(f"/campaigns/{item.campaign_id}/").content.decode()
    assert browser_of(vault.world.zoe).get(f"/campaigns/lines/{item.pk}/").status_code == 404
    answer = mo.post(f"/campaigns/lines/{item.pk}/decide/", at_line(item, {"decision": "revoke", "reason": NOTE}))
    assert (answer.status_code, vault.account.state) == (302, "retired")
