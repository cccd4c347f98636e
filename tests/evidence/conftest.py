"""The demo's past, played once by the real actions, sealed, folded from the sealed log and judged by the catalogue.

It is told at another time than it was written, around a new year and a leap day, as a demo of any year tells it: what holds then holds at any time.
"""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.test import override_settings
from pytest_django import DjangoDbBlocker

from audit.controls.loading import load_catalogue
from audit.controls.model import TestResult
from audit.controls.runner import prepare, run_catalogue
from audit.facts.fold import UNFED, fold
from audit.facts.given import Period
from audit.facts.schema import new_database
from audit.log.checkpoints import public_keys
from audit.log.examination import stored_ranges
from audit.log.read import size
from audit.packs.reading import entries
from portal.demo.clock import at, demo_clock
from portal.demo.organisation import Organisation
from portal.demo.seeding import past, told_later
from portal.systems.models import Privilege
from tests.servers import MailSink, new_folder
from tests.worlds import sealing

LATER = told_later(datetime(2024, 3, 1, 0, 10, tzinfo=UTC))
FROM, TO = at("2026-07-01 00:00"), at("2026-10-01 00:00")


@dataclass(frozen=True)
class Played:
    """Facts and results of the quarter, and what the demo's names have become: ids of grants, requests, people, systems, privileges."""

    db: sqlite3.Connection
    results: Mapping[str, TestResult]
    grants: Mapping[str, str]
    requests: Mapping[str, str]
    people: Mapping[str, str]
    systems: Mapping[str, str]
    privileges: Mapping[str, str]

    def rows(self, table: str) -> list[dict[str, object]]:
        """All rows of a table of facts."""
        found = self.db.execute(f"SELECT * FROM {table}")
        names = [column[0] for column in found.description]
        return [dict(zip(names, values, strict=True)) for values in found]


@pytest.fixture(scope="module")
def played(django_db_setup: None, django_db_blocker: DjangoDbBlocker, _mail_sink: MailSink) -> Played:
    """Played once for all tests of a file; they read what came of it, and the database is empty again."""
    with django_db_blocker.unblock():
        return play(_mail_sink)


def play(sink: MailSink, later: timedelta = LATER) -> Played:
    """Play it, told so much later than it was written (or earlier: the log is sealed by this machine's clock, which must not be behind)."""
    mails = {"EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": sink.port, "EMAIL_USE_TLS": False}
    try:
        with override_settings(PORTAL_DATA=new_folder("evidence"), **mails), sealing(), demo_clock(later) as clock:
            return _read(Organisation(clock))
    finally:
        call_command("flush", interactive=False, verbosity=0)


def _read(organisation: Organisation) -> Played:
    grants = past(organisation)
    begins, ends = organisation.clock.ms(FROM), organisation.clock.ms(TO)
    period = Period(begins, ends, ends)
    catalogue, db = load_catalogue(), new_database()
    ranges = tuple(stored_ranges(public_keys(), size()))
    done = fold(db, entries(size()), period=period, parameters=catalogue.parameters, ranges=ranges)
    prepare(db, catalogue, period, unreadable=done.unreadable, unfed=UNFED)
    return Played(
        db=db,
        results={each.id: each for each in run_catalogue(db, catalogue)},
        grants={key: str(grant.pk) for key, grant in grants.items()},
        requests={key: str(grant.request_id) for key, grant in grants.items()},
        people={key: str(person.pk) for key, person in organisation.people.items()},
        systems={slug: str(system.pk) for slug, system in organisation.systems.items()},
        privileges={
            f"{each.system.slug}-emergency": str(each.pk) for each in Privilege.objects.select_related("system")
        },
    )
