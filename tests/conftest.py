"""For all tests: the servers stand before Django's settings are read."""

from functools import cache
from pathlib import Path
from typing import Any

import django
import pytest
from hypothesis import HealthCheck, settings

from tests import servers
from tests.servers import _mail_sink, mail_sink, target

servers.prepare_run()
# A deadline is an absolute time, and no test asserts one: a busy machine must not turn a true property red.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")
django.setup()  # pytest-django looked for settings before they were named

from tests.emptying import instead_of_flush  # noqa: E402 - it needs the settings
from tests.faults.whole import House, _house, house  # noqa: E402 - it reads models
from tests.migrated import django_db_setup  # noqa: E402 - likewise
from tests.static_files import found_once  # noqa: E402 - it needs the settings

instead_of_flush()
found_once()
__all__ = ["_house", "_mail_sink", "django_db_setup", "house", "mail_sink", "target"]


@pytest.hookimpl(optionalhook=True)  # where tests run side by side
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """One house for each run: the tests that live in it go to the same worker, first of all; every other test goes wherever is room."""
    from xdist.scheduler import LoadScopeScheduling

    class TogetherInTheHouse(LoadScopeScheduling):  # type: ignore[misc]  # xdist ships no types
        def _split_scope(self, nodeid: str) -> str:
            return "house" if _lives_in_the_house(config.rootpath / nodeid.partition("::")[0]) else nodeid

    return TogetherInTheHouse(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """The house rests once the last of its tests has left: idle, it takes a sixth of a core from all that follow on its worker."""
    lived_in = getattr(item, "funcargs", {}).get("house")
    stays = nextitem is not None and _lives_in_the_house(Path(nextitem.path))
    if isinstance(lived_in, House) and not stays and hasattr(item.config, "workerinput"):
        lived_in.close()  # whoever comes back starts it again


@cache
def _lives_in_the_house(file: Path) -> bool:
    text = file.read_text()
    return "house: House" in text and "from tests.faults.whole import" in text
