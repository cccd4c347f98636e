"""Tests that run side by side are out of each other's way, and who waits is out of the way of what is waited for."""

import os
from pathlib import Path

import pytest
from django.conf import settings

from portal.celery import app
from tests.servers import pause_after


def test_settings_are_those_of_this_worker() -> None:
    assert (settings.REDIS_URL, app.conf.broker_url) == (os.environ["REDIS_URL"], os.environ["REDIS_URL"])
    assert Path(settings.PORTAL_DATA) == Path(os.environ["PORTAL_DATA"])
    assert Path(os.environ["PORTAL_DATA"]).name == os.environ.get("PYTEST_XDIST_WORKER", "main")


@pytest.mark.parametrize(("looking_s", "pause_s"), [(0, 0.02), (0.001, 0.02), (0.05, 0.2), (3, 0.5)])
def test_what_takes_long_to_look_at_is_looked_at_less_often(looking_s: float, pause_s: float) -> None:
    assert pause_after(looking_s) == pause_s
