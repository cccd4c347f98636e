"""Tests that run side by side are out of each other's way."""

import os
from pathlib import Path

from django.conf import settings

from portal.celery import app


def test_settings_are_those_of_this_worker() -> None:
    assert (settings.REDIS_URL, app.conf.broker_url) == (os.environ["REDIS_URL"], os.environ["REDIS_URL"])
    assert Path(settings.PORTAL_DATA) == Path(os.environ["PORTAL_DATA"])
    assert Path(os.environ["PORTAL_DATA"]).name == os.environ.get("PYTEST_XDIST_WORKER", "main")
