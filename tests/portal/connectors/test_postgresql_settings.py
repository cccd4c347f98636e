"""What the connection demands before it is made."""

from typing import Any

import pytest

from portal.connectors import for_kind
from portal.connectors.base import BadSettings, Secret, Target
from portal.connectors.postgresql.connection import is_loopback, parameters

WELL = {"host": "db.example.org", "port": 5432, "dbname": "shop", "user": "bg_portal"}


def target(**settings: Any) -> Target:
    return Target("s", "postgresql", {**WELL, **settings}, Secret("x"))


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("/var/run/postgresql", True),
        ("10.0.0.1", False),
        ("db.example.org", False),
        ("localhost.example.org", False),
        ("0.0.0.0", False),
        ("::ffff:10.0.0.1", False),
        ("", False),
    ],
)
def test_loopback_is_this_machine_only(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_tls_is_checked_in_full_outside_loopback() -> None:
    given = parameters(target())
    assert (given["sslmode"], given["sslrootcert"]) == ("verify-full", "system")
    assert parameters(target(sslrootcert="/ca.pem"))["sslrootcert"] == "/ca.pem"


@pytest.mark.parametrize("mode", ["disable", "allow", "prefer", "require", "verify-ca"])
def test_weaker_tls_is_refused_outside_loopback(mode: str) -> None:
    with pytest.raises(BadSettings):
        parameters(target(sslmode=mode))


def test_weaker_tls_is_taken_on_this_machine() -> None:
    assert parameters(target(host="127.0.0.1"))["sslmode"] == "prefer"
    assert parameters(target(host="127.0.0.1", sslmode="disable"))["sslmode"] == "disable"


@pytest.mark.parametrize("name", list(WELL))
def test_missing_setting_is_named(name: str) -> None:
    with pytest.raises(BadSettings) as caught:
        parameters(target(**{name: None}))
    assert caught.value.sentence == f"The system's settings lack {name}."


def test_several_hosts_are_refused() -> None:
    with pytest.raises(BadSettings):
        parameters(target(host="127.0.0.1,db.example.org"))


def test_timeouts_are_always_set() -> None:
    given = parameters(target())
    assert "lock_timeout=2000" in given["options"]
    assert "statement_timeout=10000" in given["options"]
    assert given["connect_timeout"] == 5


def test_unknown_kind_is_refused() -> None:
    with pytest.raises(BadSettings):
        for_kind("carrier pigeon")
