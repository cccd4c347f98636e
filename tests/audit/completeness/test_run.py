"""Judging what is due: once for each changed verdict, as often as anybody calls."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.completeness.run import judge_due
from audit.completeness.windows import DAY
from audit.log.append import clock
from audit.log.read import named
from tests.audit.completeness.walked import Walk, read_all, walk, write

DAY_START = 20_700 * DAY  # a midnight, UTC
OPENED, OVER = DAY_START + 7_200_000, DAY_START + 9_000_000
LATER = OVER + 60_000


def simulated(session: str, line: int, at: int, kind: str, **more: Any) -> bytes:
    marker = "portal" if kind == "heartbeat" or session.startswith("p") else "bg_7"
    return json.dumps({"session": session, "line": line, "marker": marker, "kind": kind, "at_ms": at, **more}).encode()


def beat(nonce: str, at: int) -> list[bytes]:
    name = f"p-{nonce}"
    return [
        simulated(name, 1, at, "connect"),
        simulated(name, 2, at, "heartbeat", statement=nonce),
        simulated(name, 3, at, "disconnect"),
    ]


def marked(used: Walk, nonce: str, at: int) -> list[bytes]:
    """A heartbeat as the portal tells of it; its lines in the target's log."""
    used.beat(nonce, at)
    return beat(nonce, at)


def session(*, without: tuple[int, ...] = (), last: int = 4) -> list[bytes]:
    lines = [simulated("s-1", 1, OPENED + 1000, "connect")]
    lines += [
        simulated("s-1", line, OPENED + 1000 * line, "statement", statement="SELECT 1", outcome="ok")
        for line in range(2, last)
    ]
    lines.append(simulated("s-1", last, OPENED + 1000 * last, "disconnect"))
    return [line for number, line in enumerate(lines, 1) if number not in without]


@pytest.fixture
def used(tmp_path: Path) -> Walk:
    """A simulated source with a grant that was used and is over; nothing of its log was read yet."""
    return walk(tmp_path, opened_at=OPENED, over_at=OVER, declared_at=DAY_START, kind="simulated")


def gather(used: Walk, lines: list[bytes], at: int) -> None:
    write(Path(used.source.settings["log_dir"]), lines, "state.log.jsonl")
    read_all(used.source, at)


@pytest.mark.django_db
def test_verdict_comes_when_the_heartbeat_after_came_back(used: Walk) -> None:
    gather(used, [*marked(used, "one", OPENED - 1000), *session()], OVER)
    assert used.verdict(OVER + 1)["verdict"] == "pending"
    gather(used, marked(used, "two", LATER), LATER)
    assert [event.fields["verdict"] for event in used.judged(LATER)] == ["pending", "complete"]
    assert named(("completeness.gap_found",)) == []


@pytest.mark.django_db
def test_verdict_carries_its_window_and_its_case(used: Walk) -> None:
    event = used.judged(LATER)[-1]
    assert (event.fields["from_at"], event.fields["to_at"], event.fields["kind"]) == (OPENED, OVER, "grant")
    assert (event.subject, event.by) == (f"grant:{used.grant}", "process:completeness")


@pytest.mark.django_db
def test_judging_again_writes_nothing_new(used: Walk) -> None:
    gather(used, [*marked(used, "one", OPENED - 1000), *session(), *marked(used, "two", LATER)], LATER)
    for step in range(4):
        used.judged(LATER + step)
    assert [event.fields["verdict"] for event in used.judged(LATER + 9)] == ["complete"]


@pytest.mark.django_db
def test_gap_is_found_once_and_names_the_numbers(used: Walk) -> None:
    gather(used, [*marked(used, "one", OPENED - 1000), *session(without=(2, 3)), *marked(used, "two", LATER)], LATER)
    used.judged(LATER)
    used.judged(LATER + 1)
    found = [event.fields for event in named(("completeness.gap_found",)) if event.fields["kind"] == "grant"]
    assert [(fields["verdict"], fields["ranges"]) for fields in found] == [("gap", ["session s-1: 2-3"])]


@pytest.mark.django_db
def test_loss_that_is_noticed_later_changes_the_verdict(used: Walk) -> None:
    gather(used, [*marked(used, "one", OPENED - 1000), *session(), *marked(used, "two", LATER)], LATER)
    assert used.verdict(LATER)["verdict"] == "complete"
    gather(used, [simulated("s-1", 6, LATER + 1000, "disconnect")], LATER + 2000)  # the session was not over after all
    assert [event.fields["verdict"] for event in used.judged(LATER + 3000)] == ["complete", "gap"]


@pytest.mark.django_db
def test_silence_is_pending_and_then_unknown(used: Walk) -> None:
    gather(used, [*marked(used, "one", OPENED - 1000), *session()], OVER)
    late = OVER + 2 * 3_600_000
    assert [event.fields["verdict"] for now in (LATER, late) for event in used.judged(now)[-1:]] == [
        "pending",
        "unknown",
    ]


@pytest.mark.django_db
def test_log_out_of_reach_is_not_covered(tmp_path: Path) -> None:
    used = walk(tmp_path, opened_at=OPENED, over_at=OVER, kind="simulated", counting="none")
    assert used.verdict(LATER)["verdict"] == "not covered"


@pytest.mark.django_db
@pytest.mark.parametrize(("found", "kind"), [(True, "complete"), (False, "not covered"), (None, "complete")])
def test_login_that_closing_found_muted_is_not_covered(tmp_path: Path, found: bool | None, kind: str) -> None:
    """None: the login was gone already, or the event is older than the question."""
    used = walk(
        tmp_path, opened_at=OPENED, over_at=OVER, declared_at=DAY_START, kind="simulated", logged_at_end=found
    )  # fmt: skip
    gather(used, [*marked(used, "one", OPENED - 1000), *session(), *marked(used, "two", LATER)], LATER)
    assert used.verdict(LATER)["verdict"] == kind


@pytest.mark.django_db
@pytest.mark.parametrize(("found", "kind"), [(None, "complete"), (False, "not covered")])
def test_grant_that_was_read_back_thousands_of_times_is_judged(tmp_path: Path, found: bool | None, kind: str) -> None:
    """The opening, and the first closing that found the login muted, lie further back than a reader asks for by itself."""
    used = walk(tmp_path, opened_at=OPENED, over_at=OVER, declared_at=DAY_START, kind="simulated", logged_at_end=found)
    used.read_back_again(OVER + 1, times=2000)
    gather(used, [*marked(used, "one", OPENED - 1000), *session(), *marked(used, "two", LATER)], LATER)
    assert used.verdict(LATER)["verdict"] == kind


@pytest.mark.django_db
def test_each_whole_day_of_a_source_is_judged(used: Walk) -> None:
    first = DAY_START + 3_600_000
    gather(
        used,
        [
            *marked(used, "one", first),
            *session(),
            *marked(used, "two", DAY_START + DAY + 10_000),
            *marked(used, "three", DAY_START + 2 * DAY + 10_000),
        ],
        LATER,
    )
    now = DAY_START + 2 * DAY + 20_000
    with clock(lambda: now):
        judge_due(now)
    days = [event.fields for event in named(("completeness.judged",)) if event.fields["kind"] == "day"]
    assert [(fields["from_at"], fields["to_at"], fields["verdict"]) for fields in days] == [
        (first, DAY_START + DAY - 1, "complete"),
        (DAY_START + DAY, DAY_START + 2 * DAY - 1, "complete"),
    ]


@pytest.mark.django_db
def test_settled_windows_cost_no_query_each(tmp_path: Path) -> None:
    def settled(count: int) -> int:
        for number in range(count):
            folder = tmp_path / f"{count}-{number}"
            folder.mkdir()
            walk(
                folder,
                opened_at=OPENED,
                over_at=OVER,
                kind="simulated",
                counting="none",
                marker=f"bg_{number + 1}",
                declared_at=OPENED,
            )
        with clock(lambda: LATER):
            judge_due(LATER)
        with (
            CaptureQueriesContext(connection) as queries,
            clock(lambda: LATER + 1000),
        ):
            assert judge_due(LATER + 1000) == 0
        return len(queries)

    one = settled(1)
    per_window = (settled(10) - one) / 10
    assert per_window <= 2, "a settled window costs its opening event and its source's first heartbeat, no evidence"


@pytest.mark.django_db
def test_gather_judges_what_it_has_read(used: Walk) -> None:
    write(
        Path(used.source.settings["log_dir"]),
        [*marked(used, "one", OPENED - 1000), *session(), *marked(used, "two", LATER)],
        "state.log.jsonl",
    )
    with clock(lambda: LATER):
        call_command("gather", once=True)
    assert [
        event.fields["verdict"] for event in named(("completeness.judged",)) if event.fields["kind"] == "grant"
    ] == ["complete"]
