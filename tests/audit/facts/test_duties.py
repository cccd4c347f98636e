"""What was due: attestations and drills that were held, held late, repeated or missed."""

from typing import Any

import pytest

from audit.facts.fold import schedule
from audit.facts.fold.state import Facts
from tests.audit.facts import story
from tests.audit.facts.stream import DAY, MINUTE, Stream, at, judge

START = at("07-03", "02:00")


def test_attestation_that_nobody_held_is_a_missed_duty() -> None:
    log = story.organisation()
    duties = [each for each in judge(log).facts("duties") if each["kind"] == "campaign"]
    due = at("06-01", "01:00") + 90 * DAY
    assert [(each["due_at"], each["done_at"], each["days_since_previous"]) for each in duties] == [(due, None, 90)]


def test_attestation_held_late_was_not_held_often_enough() -> None:
    log = story.organisation()
    story.attestation(log, "K", at("09-05"), at("09-10"))
    judged = judge(log)
    assert judged.fact("duties", "D-K")["days_since_previous"] == 96
    assert judged.rows("T-20") == {
        "D-K": "deviation",
        f"due:campaign:billing:{at('06-01', '01:00') + 90 * DAY}": "deviation",
    }


def test_attestation_days_count_from_the_one_before() -> None:
    log = story.organisation()
    story.attestation(log, "K1", at("07-10"), at("07-12"))
    story.attestation(log, "K2", at("09-20"), at("09-22"))
    judged = judge(log)
    assert judged.fact("duties", "D-K2")["days_since_previous"] == 72
    assert judged.rows("T-20") == {"D-K1": "pass", "D-K2": "pass"}


def registered(log: Stream, when: int, account: str = "A") -> None:
    log.say(
        "sealed.registered", when, "quinn", account_id=account, system_id="billing", changed_by="pia", effective_at=when, narrows=0,
        name="Vault", account="vault", custodian_id="cleo", kept_by="custodian", location="Console", privilege_id=f"P-{account}",
    )  # fmt: skip


def retired(log: Stream, when: int) -> None:
    log.say(
        "sealed.retired", when, "quinn", account_id="A", system_id="billing", changed_by="pia", effective_at=when, narrows=1,
    )  # fmt: skip


def owed_accounts(log: Stream, since: int) -> None:
    log.say(
        "duty.set", since + MINUTE, story.SWEEP, duty_id="D-A", kind="campaign", subject_kind="accounts", system_id="billing",
        days_since_previous=30, due_at=since + 30 * DAY,
    )  # fmt: skip


def accounts_due(log: Stream) -> list[int]:
    rows = judge(log).facts("duties")
    return sorted(each["due_at"] for each in rows if each["subject_kind"] == "accounts")


def test_sealed_accounts_are_owed_an_attestation_each_month_as_long_as_there_are_any() -> None:
    log, sealed = story.organisation(), at("07-01", "10:00")
    registered(log, sealed)
    owed_accounts(log, sealed)
    assert accounts_due(log) == [sealed + 30 * DAY, sealed + 60 * DAY, sealed + 90 * DAY]
    retired(log, sealed + 35 * DAY)
    assert accounts_due(log) == [sealed + 30 * DAY]
    again = sealed + 50 * DAY
    registered(log, again, "B")
    assert accounts_due(log) == [sealed + 30 * DAY, again + 30 * DAY]


def test_attestation_ahead_when_the_last_account_goes_is_not_missed() -> None:
    log, sealed = story.organisation(), at("07-01", "10:00")
    registered(log, sealed)
    owed_accounts(log, sealed)
    retired(log, sealed + 20 * DAY)
    assert accounts_due(log) == []


def test_major_change_is_followed_by_a_drill_within_two_weeks() -> None:
    log, changed = story.organisation(), at("07-20", "10:00")
    fields: dict[str, Any] = {
        "system_id": "billing", "slug": "billing", "name": "billing", "owner_id": "mo", "criticality": "normal", "personal_data": 0,
        "connector": "postgresql", "reads_back": 1, "lists_access": 1, "in_scope_from": at("06-01", "01:00"),
    }  # fmt: skip
    for major, when in ((1, changed), (0, changed + 30 * DAY)):
        log.say("system.changed", when, "quinn", **fields, changed=["host"], major=major)
    due = [each["due_at"] for each in judge(log).facts("duties") if each["kind"] == "drill"]
    assert due == [changed + 14 * DAY]


def drilled(log: Stream, case: str, start: int, *, worked: int) -> int:
    """A drill that was judged; when it was over."""
    over = start + 60 * MINUTE
    story.ask(log, case, start, mode="drill")
    story.approve(log, case, start + MINUTE)
    story.open_it(log, case, start + 2 * MINUTE, mode="drill")
    story.end_it(log, case, over, how="expired")
    log.say(
        "drill.judged", over + MINUTE, story.SWEEP, case=case, drill_id=f"D-{case}", system_id="billing", grant_id=f"G-{case}", over_at=over,
        worked=worked, failed=[] if worked else ["told"],
    )  # fmt: skip
    return over


def drills(log: Stream) -> list[tuple[int, int | None, int | None]]:
    return [
        (each["due_at"], each["done_at"], each["ok"]) for each in judge(log).facts("duties") if each["kind"] == "drill"
    ]


def test_failed_drill_that_is_repeated_in_time_is_one_duty_done() -> None:
    log, due = story.organisation(), at("06-01", "01:00") + 90 * DAY
    drilled(log, "C", START, worked=0)
    over = drilled(log, "D", START + DAY, worked=1)
    assert drills(log) == [(due, over, 1)]


def test_failed_drill_that_nobody_repeats_is_a_duty_missed() -> None:
    log, due = story.organisation(), at("06-01", "01:00") + 90 * DAY
    over = drilled(log, "C", START, worked=0)
    assert drills(log) == [(due, over, 0)]
    assert judge(log).rows("T-34") == {f"due:drill:billing:{due}": "deviation"}


def test_drill_that_failed_and_is_not_due_yet_waits_to_be_repeated() -> None:
    log, due = story.organisation(), at("06-01", "01:00") + 90 * DAY
    first = drilled(log, "C", at("08-03"), worked=1)
    over = drilled(log, "D", at("09-28"), worked=0)
    following = first + 90 * DAY
    assert drills(log) == [(due, first, 1), (following, over, 0)]
    assert judge(log).rows("T-34") == {f"due:drill:billing:{first}": "pass", f"due:drill:billing:{following}": "open"}


def test_restore_that_verified_does_the_duty_that_is_due_next() -> None:
    log = story.organisation()
    said: dict[str, Any] = {"sentence": "No.", "kept": "All.", "to_do": "Look.", "code": "not_restored"}
    log.say("backup.rehearsal_failed", START, story.SWEEP, **said)
    figures: dict[str, Any] = dict.fromkeys(("made_at", "size", "rows", "values", "took_ms", "missing", "erased"), 1)
    log.say("backup.rehearsed", START + DAY, story.SWEEP, backup_id="B-1", log_root="00", **figures)
    judged = judge(log)
    restores = [
        (each["due_at"], each["done_at"], each["ok"]) for each in judged.facts("duties") if each["kind"] == "restore"
    ]
    assert restores == [(at("06-01") + 180 * DAY, START + DAY, 1)]
    assert judged.rows("T-44") == {f"due:restore:portal:{START + DAY}": "pass"}, "done in the period, due after it"


@pytest.mark.parametrize(
    ("restores", "duties"),
    [
        ([], [(180, None, None), (360, None, None)]),
        ([(100, 1)], [(180, 100, 1), (280, None, None)]),
        ([(100, 0)], [(180, 100, 0), (360, None, None)]),
        ([(100, 0), (101, 1), (250, 1)], [(180, 101, 1), (281, 250, 1)]),
        ([(200, 1)], [(180, None, None), (360, 200, 1), (380, None, None)]),
        ([(500, 1)], [(180, None, None), (360, None, None)]),  # after the period: nothing of it
        ([(390, 0)], [(180, None, None), (360, None, None), (540, 390, 0)]),  # not due yet, and to be repeated
        ([(390, 0), (410, 1)], [(180, None, None), (360, None, None)]),
    ],
)
def test_restores_that_were_missed_late_or_did_not_verify(
    restores: list[tuple[int, int]], duties: list[tuple[int, int | None, int | None]]
) -> None:
    facts = Facts(restores=[(day * DAY, ok) for day, ok in restores])
    schedule._restores(facts, 0, 180, 400 * DAY)
    rows = facts.rows["duties"].values()
    days = [(row["due_at"] // DAY, (row.get("done_at") or 0) // DAY or None, row.get("ok")) for row in rows]
    assert sorted(days) == duties
