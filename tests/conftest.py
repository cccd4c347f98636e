"""For all tests: the servers stand before Django's settings are read."""

import django
import pytest

from tests import servers
from tests.servers import _mail_sink, mail_sink, target

servers.prepare_run()
django.setup()  # pytest-django looked for settings before they were named

from tests.faults.whole import _house, house  # noqa: E402 - it reads models

__all__ = ["_house", "_mail_sink", "house", "mail_sink", "target"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One house for each run: the tests that live in it go to the same worker (`--dist loadgroup`)."""
    for item in items:
        if "_house" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("house"))
