"""Each process of the demo gets its own login and no secret that it does not need."""

from pathlib import Path

import pytest

from portal.embedded import environment, state
from portal.embedded.environment import Environments
from portal.embedded.postgres import PostgresServer
from portal.embedded.state import State
from portal.embedded.valkey import ValkeyServer


@pytest.fixture
def kept(tmp_path: Path) -> State:
    return state.load(tmp_path / "demo", make_log_key=lambda: ("the secret half", "the public half\n"))


@pytest.fixture
def target(kept: State) -> PostgresServer:
    return PostgresServer("target", kept.folder / "target", 5433, kept.passwords["target"], kept.mark)


@pytest.fixture
def environments(kept: State) -> Environments:
    portal = PostgresServer("portal", kept.folder / "portal", 5432, kept.passwords["portal"], kept.mark)
    valkey = ValkeyServer(kept.folder / "valkey", 6379, kept.passwords["valkey"], kept.mark)
    return Environments(kept, portal=portal, valkey=valkey, web_port=8000)


def secrets_in(variables: dict[str, str], kept: State) -> set[str]:
    text = "\n".join(variables.values())
    named = kept.passwords | {"secrets_key": kept.secrets_key, "log_key": str(kept.log_key_file)}
    return {name for name, value in named.items() if value in text}


def test_each_process_holds_exactly_its_own_secrets(
    environments: Environments, target: PostgresServer, kept: State
) -> None:
    assert {
        "bare": secrets_in(environments.bare(), kept),
        "work": secrets_in(environments.work(), kept),
        "worker": secrets_in(environments.worker(), kept),
        "web": secrets_in(environments.web(), kept),
        "sealer": secrets_in(environments.sealer(), kept),
        "owner": secrets_in(environments.owner(), kept),
        "seed": secrets_in(environments.seed(target), kept),
    } == {
        "bare": set(),
        "work": {"web", "valkey", "secrets_key"},
        "worker": {"web", "eraser", "rehearser", "valkey", "secrets_key"},
        "web": {"web", "portal", "valkey", "secrets_key"},  # the superuser's, for the page that tampers
        "sealer": {"sealer", "log_key"},
        "owner": {"owner", "valkey", "secrets_key"},
        "seed": {"owner", "valkey", "secrets_key", "target"},
    }


def test_web_alone_reaches_the_database_as_its_superuser(environments: Environments, target: PostgresServer) -> None:
    each = {name: getattr(environments, name)() for name in ("bare", "work", "worker", "web", "sealer", "owner")}
    each["seed"] = environments.seed(target)
    assert [name for name, given in each.items() if "PORTAL_DEMO_SUPERUSER_URL" in given] == ["web"]


def test_caller_environment_of_another_instance_is_not_passed_on() -> None:
    given = {
        "PATH": "/usr/bin",
        "HOME": "/root",
        "DATABASE_URL": "postgresql://production/",
        "PORTAL_SECRET_KEY": "production",
        "PGPASSWORD": "production",
        "REDIS_URL": "redis://production",
        "PORTAL_PG_BIN": "/opt/pg/bin",
        "PORTAL_CHROMIUM": "/opt/chromium",
        "PORTAL_PICTURES": "1",
    }
    kept_names = {"PATH", "HOME", "PORTAL_PG_BIN", "PORTAL_CHROMIUM", "PORTAL_PICTURES"}
    assert environment.inherited(given) == {name: value for name, value in given.items() if name in kept_names}


def test_demo_says_what_it_is_and_signs_with_a_name_of_its_own(environments: Environments, kept: State) -> None:
    web = environments.web()
    assert (web["PORTAL_DEMO"], web["PORTAL_LOG_ORIGIN"]) == ("1", "breakglass.example/demo")
    assert web["PORTAL_LOG_PUBLIC_KEY"] == kept.log_public_key == "the public half"
