"""Alerts to send, and where they arrive."""

from collections.abc import Mapping

import pytest
from django.db import transaction

from audit.log.append import process
from portal.notifications.models import Alert
from portal.notifications.outbox import tell
from tests.servers import MailSink
from tests.worlds import World, make_world

FACTS = {"title": "The target does not answer", "sentence": "It was asked five times."}


@pytest.fixture
def world(transactional_db: None) -> World:
    return make_world()


@pytest.fixture
def mail(mail_sink: MailSink, settings: object) -> MailSink:
    """The portal's mail server is the sink."""
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", mail_sink.port, False  # type: ignore[attr-defined]
    return mail_sink


def queue(
    world: World, *names: str, kind: str = "system.problem", facts: Mapping[str, object] = FACTS, **more: object
) -> list[Alert]:
    """Alerts to these people, as an action would queue them."""
    with transaction.atomic():
        return tell(
            by=process("test"),
            people=[world.people[name] for name in names],
            kind=kind,
            path="/requests/1/",
            facts=facts,
            **more,  # type: ignore[arg-type]
        )
