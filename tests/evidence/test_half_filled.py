"""A demo is filled once; one that was stopped in the middle says so and is not filled a second time. What the filling says."""

import io

import pytest
from django.core.management import CommandError, call_command

from audit.log.models import Event
from portal.demo import seeding, target
from portal.demo.clock import demo_clock
from portal.demo.organisation import Organisation, build
from portal.management.commands import demo_seed

pytestmark = pytest.mark.django_db(transaction=True)


def test_demo_that_was_stopped_in_the_middle_says_what_to_do(settings: object, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PORTAL_DEMO = True  # type: ignore[attr-defined]  # pytest-django's
    monkeypatch.setenv("TARGET_SUPERUSER_URL", "")
    monkeypatch.setattr(target, "prepare", lambda *_: None)
    monkeypatch.setattr(seeding, "target_password", lambda: "")
    with demo_clock() as clock:
        build(Organisation(clock))
    before = Event.objects.count()
    with pytest.raises(CommandError, match=r"stopped before it was done\. Empty it with make demo-reset"):
        call_command("demo_seed")
    assert Event.objects.count() == before


def test_seed_says_the_whole_address_of_the_codes(settings: object, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PORTAL_DEMO, settings.PORTAL_URL = True, "http://localhost:8123"  # type: ignore[attr-defined]  # pytest-django's
    monkeypatch.setenv("TARGET_SUPERUSER_URL", "")
    monkeypatch.setattr(demo_seed, "seed", lambda _: None)
    said = io.StringIO()
    call_command("demo_seed", stdout=said)
    assert "http://localhost:8123/demo/" in said.getvalue()
