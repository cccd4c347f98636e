"""A simulated target behaves, misbehaves as told, and logs what was done on it."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from portal.connectors.base import ConnectorError, Opening, Secret, Target, TargetRefused
from portal.connectors.simulated import Simulated, activity, controls, log
from portal.connectors.simulated.activity import Act

CONNECTOR = Simulated()
NOW = 1_764_000_000_000


@pytest.fixture
def target(tmp_path: Path) -> Target:
    return at(tmp_path, NOW)


def at(folder: Path, now_ms: int) -> Target:
    """The target with its clock at a time."""
    return Target("shop", "simulated", {"state_path": str(folder / "state.sqlite"), "now_ms": now_ms})


def opening(number: int = 7, *, minutes: int = 60) -> Opening:
    return Opening(f"grant-{number}", number, "nonce", "billing_admin", Secret("v"), NOW + minutes * 60_000)


def lines(target: Target) -> list[dict[str, Any]]:
    """The log."""
    return [json.loads(line) for line in log.path(target).read_text().splitlines()]


def test_log_holds_a_session_densely_numbered(target: Target) -> None:
    CONNECTOR.open(target, opening())
    acts = [Act("TABLE billing", object_="billing"), Act("DROP TABLE x", "schema_change", "denied")]
    activity.act(target, login="bg_7", statements=acts, at_ms=NOW, pause_ms=10)
    same = {"session": "s-000001", "marker": "bg_7"}
    first = {"statement": "TABLE billing", "class": "data_read", "outcome": "ok", "object": "billing"}
    second = {"statement": "DROP TABLE x", "class": "schema_change", "outcome": "denied"}
    assert lines(target) == [
        same | {"line": 1, "kind": "connect", "at_ms": NOW},
        same | {"line": 2, "kind": "statement", **first, "at_ms": NOW + 10},
        same | {"line": 3, "kind": "statement", **second, "at_ms": NOW + 20},
        same | {"line": 4, "kind": "disconnect", "at_ms": NOW + 30},
    ]


def test_dropped_line_leaves_its_number_out(target: Target) -> None:
    controls.write(target, drop_log_lines=[["s-000001", 2]])
    CONNECTOR.open(target, opening())
    activity.act(target, login="bg_7", statements=[Act("TABLE billing")])
    assert [line["line"] for line in lines(target)] == [1, 3]


def test_heartbeat_is_a_session_of_the_portal(target: Target) -> None:
    CONNECTOR.heartbeat(target, "nonce-1")
    assert [(x["kind"], x["marker"], x.get("statement")) for x in lines(target)] == [
        ("connect", "portal", None),
        ("heartbeat", "portal", "nonce-1"),
        ("disconnect", "portal", None),
    ]
    controls.write(target, drop_heartbeats=True)
    CONNECTOR.heartbeat(target, "nonce-2")
    assert len(lines(target)) == 3


def test_sessions_end_at_the_logins_own_limit(target: Target, tmp_path: Path) -> None:
    given = opening(minutes=1)
    CONNECTOR.open(target, given)
    activity.log_in(target, login="bg_7")
    late = at(tmp_path, NOW + 90_000)
    assert CONNECTOR.running(late, given.closing()) == ()
    assert lines(target)[-1] == {
        "session": "s-000001", "line": 2, "marker": "bg_7", "kind": "disconnect", "at_ms": NOW + 60_000,
    }  # fmt: skip
    with pytest.raises(TargetRefused):
        activity.log_in(late, login="bg_7")


def test_lag_keeps_the_login_usable_for_its_time(target: Target, tmp_path: Path) -> None:
    given = opening()
    CONNECTOR.open(target, given)
    controls.write(target, lag_ms=5_000)
    CONNECTOR.close(target, given.closing())
    early = CONNECTOR.read_back(at(tmp_path, NOW + 4_999), given.closing(), before=None)
    late = CONNECTOR.read_back(at(tmp_path, NOW + 5_000), given.closing(), before=None)
    assert ([each.kind for each in early.remainders], early.clear) == (["login"], False)
    assert (late.remainders, late.clear) == ((), True)


def test_lies_are_told_as_set(target: Target) -> None:
    given = opening()
    CONNECTOR.open(target, given)
    controls.write(target, lie_close=True)
    assert CONNECTOR.close(target, given.closing()).removed
    assert not CONNECTOR.read_back(target, given.closing(), before=None).clear
    controls.write(target, lie_close=True, lie_read_back=True)
    assert CONNECTOR.read_back(target, given.closing(), before=None).clear
    assert [each.login for each in CONNECTOR.list_access(target, ["billing_admin"]).logins] == ["bg_7"]


def test_leftovers_and_other_logins_are_told(target: Target) -> None:
    given, before = opening(), CONNECTOR.prepare(target)
    CONNECTOR.open(target, given)
    controls.write(
        target, leftovers=[["owned object", "It owns a table."]], other_logins=["friend"], keep_sessions=True
    )
    activity.log_in(target, login="bg_7")
    CONNECTOR.close(target, given.closing())
    result = CONNECTOR.read_back(target, given.closing(), before=before)
    assert [each.kind for each in result.remainders] == ["live session", "other login"]
    assert [each.kind for each in result.drift] == ["other login", "owned object"]


@pytest.mark.parametrize(("superusers", "told"), [([], False), (["billing_admin"], True), (["other"], False)])
def test_privilege_that_is_a_superuser_is_told(target: Target, superusers: list[str], told: bool) -> None:
    given = Target("shop", "simulated", {**target.settings, "superusers": superusers})
    assert CONNECTOR.open(given, opening()).superuser is told


def test_refusal_carries_its_sentence(target: Target) -> None:
    controls.write(target, refuse="Maintenance until noon.")
    with pytest.raises(TargetRefused) as caught:
        CONNECTOR.open(target, opening())
    assert caught.value.sentence == "Maintenance until noon."


def test_unknown_control_is_refused(target: Target) -> None:
    with pytest.raises(ValueError, match="bogus"):
        controls.write(target, bogus=True)


def test_many_at_once_lose_nothing(target: Target) -> None:
    errors: list[ConnectorError] = []

    def work(number: int) -> None:
        try:
            CONNECTOR.open(target, opening(number))
            activity.act(target, login=f"bg_{number}", statements=[Act("SELECT 1")] * 3)
            CONNECTOR.close(target, opening(number).closing())
        except ConnectorError as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=[number]) for number in range(1, 9)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert errors == []
    assert sorted((x["session"], x["line"]) for x in lines(target)) == [
        (log.name(session), line) for session in range(1, 9) for line in range(1, 6)
    ]
    assert CONNECTOR.list_access(target, ["billing_admin"]).logins == ()
