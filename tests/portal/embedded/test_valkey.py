"""The broker's runner, on a real server."""

from pathlib import Path

import pytest
import redis

from tests.servers import running_valkey


def test_valkey_keeps_its_entries_through_kill_and_start() -> None:
    with running_valkey() as valkey:
        redis.Redis.from_url(valkey.url()).set("kept", "yes")
        redis.Redis.from_url(valkey.url()).execute_command("WAITAOF", 1, 0, 5000)  # type: ignore[no-untyped-call] # redis has no type for it
        valkey.kill()
        valkey.start()
        assert redis.Redis.from_url(valkey.url()).get("kept") == b"yes"


def test_valkey_password_is_asked_and_stands_in_no_command_line() -> None:
    with running_valkey() as valkey:
        with pytest.raises(redis.AuthenticationError):
            redis.Redis(port=valkey.server.port).ping()
        assert valkey.process
        command_line = Path(f"/proc/{valkey.process.pid}/cmdline").read_bytes()
        assert valkey.server.password.encode() not in command_line
        assert valkey.server.configuration.stat().st_mode & 0o777 == 0o600


def test_valkey_refuses_writes_rather_than_dropping_tasks() -> None:
    with running_valkey() as valkey:
        client = redis.Redis.from_url(valkey.url())
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
