"""For all tests: the servers stand before Django's settings are read."""

import os
from datetime import timedelta
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

from portal.people import signing_in  # noqa: E402 - it reads models
from tests.emptying import instead_of_flush  # noqa: E402 - it needs the settings
from tests.faults.whole import House, _house, house  # noqa: E402 - it reads models
from tests.migrated import django_db_setup  # noqa: E402 - likewise
from tests.static_files import found_once  # noqa: E402 - it needs the settings

instead_of_flush()
found_once()
signing_in.SEEN_EVERY = timedelta(days=1)  # or a page asks for one row more wherever a test takes a minute
__all__ = ["_house", "_mail_sink", "django_db_setup", "house", "mail_sink", "target"]
pytest_plugins = ["tests.counting", "tests.garbage", "tests.resuming"]


@pytest.hookimpl(optionalhook=True)  # where tests run side by side
def pytest_xdist_setupnodes() -> None:
    """A worker names its settings by itself: pytest-django would read them before, with the broker and the folder of this process."""
    del os.environ["DJANGO_SETTINGS_MODULE"]


@pytest.hookimpl(optionalhook=True)  # likewise
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """What is made once is made on one worker: the house of a run, and what a file makes for all of its tests."""
    from xdist.scheduler import LoadScopeScheduling

    config.option.loadscopereorder = False  # the workers have put them into their order

    class TogetherWithWhatTheyShare(LoadScopeScheduling):  # type: ignore[misc]  # xdist ships no types
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            if _comes_in_parts(config.rootpath / file) and nodeid.endswith("]"):
                return nodeid  # each part begins anew, in whichever worker's house
            if _lives_in_the_house(config.rootpath / file):
                return "house"
            return file if _shares(config.rootpath / file) else nodeid

    return TogetherWithWhatTheyShare(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On a worker, what takes longest comes first: no other is to wait for it at the end. Those of the house wait more than they work."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: 0 if _lives_in_the_house(item.path) else 1 if _shares(item.path) else 2)


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


@cache
def _comes_in_parts(file: Path) -> bool:
    return "PARTS + 1" in file.read_text()


@cache
def _shares(file: Path) -> bool:
    return 'scope="module"' in file.read_text()
