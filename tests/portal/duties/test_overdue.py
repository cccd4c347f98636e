"""What is overdue is told once to whom the policy names, and each day to who owes it, until it is done."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest

from audit.log.append import clock, process
from portal.clock import ms, now
from portal.drills.duties import interval
from portal.duties import sweep
from portal.duties.actions import remind, tell_overdue
from portal.duties.overdue import KINDS, Kind, Overdue, overdue
from portal.errors import ChangedMeanwhile
from portal.findings.actions import answer, close, raise_finding
from portal.findings.models import Finding
from portal.notifications.digest import next_digest
from portal.notifications.models import Alert
from portal.people.zones import zone_of
from portal.policy.alerts import Telling
from portal.policy.models import PolicyVersion
from portal.policy.rules import Policy
from portal.sealed.models import CARDS, CUSTODIAN, USED, OfflineSet, Rotation
from portal.systems.models import System
from tests.at_once import at_once
from tests.portal.sealed.printed import printed
from tests.portal.sealed.vault import Vault, make_vault
from tests.worlds import actor, make_world, sealing

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)
TO_SECURITY = Policy(alerts=(Telling("overdue", ("security",)),))


@pytest.fixture
def vault(request: pytest.FixtureRequest) -> Iterator[Vault]:
    with sealing():
        yield make_vault(getattr(request, "param", CUSTODIAN), world=make_world(policy=TO_SECURITY))


def told(kind: str) -> Counter[tuple[str, str]]:
    rows = Alert.objects.filter(kind=kind).select_related("recipient")
    return Counter((each.facts["what"], each.recipient.name if each.recipient else "list") for each in rows)


def late_policy(_: Vault) -> None:
    PolicyVersion.objects.update(review_due_at=now() - timedelta(minutes=1))


def late_drill(_: Vault) -> None:
    System.objects.update(in_scope_from=now() - interval() - timedelta(minutes=1))


def late_secret(vault: Vault) -> None:
    due = now() - timedelta(minutes=1)
    Rotation.objects.create(account=vault.account, cause=USED, owed_at=due - DAY, due_at=due)


def late_cards(vault: Vault) -> None:
    printed(vault)
    OfflineSet.objects.update(made_at=now() - interval() - DAY - timedelta(minutes=1))


def late_finding(vault: Vault) -> None:
    row = raise_finding(
        by=process("test"), kind="gap", title="Records", about="w", system=vault.world.system, owner=vault.world.ben
    )
    Finding.objects.filter(pk=row.pk).update(due_at=now() - DAY - timedelta(minutes=1))


LATE = [
    (CUSTODIAN, late_policy, "Look at the policy of Billing again", ["Mo", "Pia", "Quinn"]),
    (CUSTODIAN, late_drill, "Drill Billing", ["Mo"]),
    (CUSTODIAN, late_secret, "A new secret for The vault's administrator of Billing", ["Cleo", "Mo"]),
    (CARDS, late_cards, "Drill the offline cards of The vault's administrator", ["Cleo", "Dora", "Mo"]),
    (CUSTODIAN, late_finding, "Finding: Records", ["Ben"]),
]


@pytest.mark.parametrize(
    ("vault", "make_late", "what", "owe_it"), LATE, indirect=["vault"], ids=lambda each: getattr(each, "__name__", "")
)
def test_each_is_told_once_by_the_policy_and_each_day_to_who_owes_it(
    vault: Vault, make_late: Callable[[Vault], None], what: str, owe_it: list[str]
) -> None:
    assert sweep.run_due() == 0
    make_late(vault)
    begun, counts = now(), []
    for day in range(3):
        at = begun + day * DAY
        with clock(lambda at=at: ms(at)):  # type: ignore[misc]  # the moment of both runs
            counts.append((sweep.run_due(), sweep.run_due()))
    assert counts == [(1, 0)] * 3
    assert told("duty.overdue") == Counter({(what, name): 1 for name in {*owe_it, "Mo", "list"}})
    assert told("duty.reminder") == Counter({(what, name): 2 for name in owe_it})
    for each in Alert.objects.filter(kind="duty.overdue"):
        assert each.next_try_at == each.queued_at
    for each in Alert.objects.filter(kind="duty.reminder").select_related("recipient"):
        assert each.recipient is not None
        assert each.next_try_at == next_digest(each.queued_at, zone_of(each.recipient))


def test_what_is_done_is_brought_to_mind_no_longer(vault: Vault) -> None:
    late_policy(vault)
    assert sweep.run_due() == 1
    PolicyVersion.objects.update(review_due_at=now() + 300 * DAY)
    tomorrow = ms(now() + DAY)
    with clock(lambda: tomorrow):
        assert sweep.run_due() == 0
    System.objects.update(in_scope_to=now())
    late_policy(vault)
    assert list(overdue(now())) == []


def test_year_has_one_reminder_each_day_across_clock_changes_and_leap_day(vault: Vault) -> None:
    begun = datetime.fromisoformat("2027-12-30T23:59:00+00:00")
    late_finding(vault)
    Finding.objects.update(due_at=begun - 2 * DAY)
    PolicyVersion.objects.update(review_due_at=begun + 999 * DAY)
    System.objects.update(in_scope_from=begun + 999 * DAY)
    for day in range(65):  # to the third of March of a leap year
        with clock(lambda at=begun + day * DAY: ms(at)):  # type: ignore[misc]  # each day
            assert sweep.run_due() == 1
    days = [each.queued_at.date() for each in Alert.objects.filter(kind="duty.reminder").order_by("queued_at")]
    assert days == [(begun + day * DAY).date() for day in range(1, 65)]


def test_of_ten_at_once_one_tells_and_one_reminds(vault: Vault) -> None:
    late_drill(vault)
    (duty,) = overdue(now())
    got = at_once(10, lambda: tell_overdue(by=sweep.SWEEP, duty=duty))
    assert Counter(type(each) for each in got) == {type(None): 1, ChangedMeanwhile: 9}
    Alert.objects.update(queued_at=now() - DAY)
    got = at_once(10, lambda: remind(by=sweep.SWEEP, duty=duty))
    assert Counter(type(each) for each in got) == {type(None): 1, ChangedMeanwhile: 9}


@pytest.mark.parametrize("act", [tell_overdue, remind], ids=["told", "reminded"])
def test_what_is_done_meanwhile_is_not_told(vault: Vault, act: Callable[..., None]) -> None:
    late_finding(vault)
    (duty,) = overdue(now())
    row = answer(by=actor(vault.world.ben), finding=Finding.objects.get(), cause="c", response="r")
    close(by=actor(vault.world.mo), finding=row, retest_ok=True)
    with pytest.raises(ChangedMeanwhile):
        act(by=sweep.SWEEP, duty=duty)
    assert Alert.objects.filter(kind__startswith="duty.").count() == 0


def test_what_cannot_be_read_of_one_does_not_stop_the_others(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    late_finding(vault)
    late_finding(vault)
    late_policy(vault)
    bad = Finding.objects.order_by("pk")[0].pk
    finding, drill = KINDS["finding"], KINDS["drill"]

    def told(row: Finding) -> Overdue:
        if row.pk == bad:
            raise ValueError("It cannot be read.")
        return finding.told(row)

    def late(*_: object) -> list[object]:
        raise ValueError("None can be read.")

    monkeypatch.setitem(KINDS, "finding", Kind(finding.late, told))
    monkeypatch.setitem(KINDS, "drill", Kind(late, drill.told))
    assert [each.kind for each in overdue(now())] == ["policy", "finding"]
