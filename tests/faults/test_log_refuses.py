"""The log cannot be written: nothing is changed, the person is told, and it is alarmed about by file and mail. Each way in which
a database may refuse, met by a real web process with its own database role."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from portal.access_requests.models import AccessRequest
from portal.embedded import ports
from portal.grants import sweep
from portal.grants.models import Grant
from tests.browsing import code_of_device
from tests.faults.programs import web
from tests.faults.visiting import Visitor
from tests.servers import MailSink, superuser_url, wait_until
from tests.worlds import World, make_world, opened, overdue, request_of, sealing

pytestmark = pytest.mark.django_db(transaction=True)
RAISING = """
CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '{code}'; END $$;
CREATE TRIGGER broken BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION broken()
"""
MENDING = "DROP TRIGGER broken ON {table}; DROP FUNCTION broken()"
BREAKS = {
    "right on events revoked": (
        "REVOKE INSERT ON audit_event FROM breakglass_web",
        "GRANT INSERT ON audit_event TO breakglass_web",
    ),
    "right on the queue revoked": (
        "REVOKE INSERT ON audit_queue FROM breakglass_web",
        "GRANT INSERT ON audit_queue TO breakglass_web",
    ),
    "trigger raises": (RAISING.format(code="P0001", table="audit_event"), MENDING.format(table="audit_event")),
    "trigger on personal values raises": (
        RAISING.format(code="P0001", table="audit_personal_value"),
        MENDING.format(table="audit_personal_value"),
    ),
    "disk full": (RAISING.format(code="53100", table="audit_event"), MENDING.format(table="audit_event")),
    "out of memory": (RAISING.format(code="53200", table="audit_queue"), MENDING.format(table="audit_queue")),
}
ALWAYS = ("right on events revoked", "disk full")
# What a look at a page changes by itself.
MOVING = ("django_session", "portal_signin", "audit_heartbeat")


def _owner() -> "psycopg.Connection":
    return psycopg.connect(superuser_url(str(connection.settings_dict["NAME"])), autocommit=True)


@contextmanager
def _broken(kind: str) -> Iterator[None]:
    breaking, mending = BREAKS[kind]
    with _owner() as owner:
        owner.execute(breaking.encode())
        try:
            yield
        finally:
            owner.execute(mending.encode())


def _everything() -> dict[str, str]:
    """A print of each table's rows."""
    with _owner() as owner:
        names = [
            row[0]
            for row in owner.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            if row[0] not in MOVING
        ]
        query = "SELECT coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') FROM {} t"
        prints = {}
        for name in names:
            found = owner.execute(query.format(name).encode()).fetchone()
            prints[name] = str(found[0]) if found else ""
        return prints


def _alarms() -> str:
    file = Path(os.environ["PORTAL_DATA"]) / "alarms.log"
    return file.read_text() if file.exists() else ""


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=[] if kind in ALWAYS else pytest.mark.faults) for kind in BREAKS]
)
def test_nothing_is_changed_the_person_is_told_and_it_is_alarmed_about(kind: str, mail_sink: MailSink) -> None:
    world, port = make_world(), ports.free_port()
    waiting = request_of(world, by="ben")
    mail = {"PORTAL_MAIL_HOST": "127.0.0.1", "PORTAL_MAIL_PORT": str(mail_sink.port)}
    with web(port, **mail):
        responder, approver = (_signed_in(port, world, name) for name in ("ann", "ines"))
        acts = {
            "bypass": (responder, "/requests/bypass/", "", {"criterion": "outage", "reason": "Writes fail."}),
            "approve": (
                approver,
                f"/requests/{waiting.pk}/decide/",
                f"/requests/{waiting.pk}/",
                {"decision": "approve", "comment": ""},
            ),
            "own approval": (
                _signed_in(port, world, "ben"),
                f"/requests/{waiting.pk}/decide/",
                f"/requests/{waiting.pk}/",
                {"decision": "approve"},
            ),
        }
        pages = {name: visitor.get(shown or path) for name, (visitor, path, shown, _) in acts.items()}
        before, alarmed = _everything(), len(_alarms())
        with _broken(kind):
            answers = {
                name: visitor.post(path, said, page=pages[name]) for name, (visitor, path, _, said) in acts.items()
            }
        assert {name: answer.status for name, answer in answers.items()} == dict.fromkeys(acts, 503)
        assert [
            "could not be written" in answer.text or "cannot be written" in answer.text for answer in answers.values()
        ] == [True] * 3
        assert _everything() == before
        assert "The log refused an entry during" in _alarms()[alarmed:]
        assert "The refusal of" in _alarms()[alarmed:]
        wait_until(lambda: _told(mail_sink) >= 2, "the security list to be told")
        again = responder.post("/requests/bypass/", {"criterion": "outage", "reason": "Writes fail."})
    assert (again.status, AccessRequest.objects.filter(mode="bypass").count()) == (200, 1)


def _signed_in(port: int, world: World, name: str) -> Visitor:
    visitor = Visitor(f"http://127.0.0.1:{port}")
    wait_until(lambda: ports.answers(port), "web to answer")
    person = world.people[name]
    visitor.sign_in(person.email, f"{name}-password-long", lambda: code_of_device(person))
    return visitor


def _told(sink: MailSink) -> int:
    return len(
        [mail for mail in sink.mails() if "security@breakglass.example" in mail.recipients and b"alarm" in mail.content]
    )


def test_end_that_cannot_be_written_is_not_claimed_and_comes_as_soon_as_it_can() -> None:
    """The target's own limit ends the access meanwhile; the portal says nothing that is not in the log."""
    world = make_world()
    with sealing():
        grant = overdue(opened(world))
        with _owner() as owner:
            owner.execute(RAISING.format(code="53100", table="audit_event").encode())
        try:
            sweep.run_due("test")
            assert Grant.objects.get().state == "active"
        finally:
            with _owner() as owner:
                owner.execute(MENDING.format(table="audit_event").encode())
        sweep.run_due("test")
    grant.refresh_from_db()
    assert (grant.state, grant.end_cause) == ("ended", "expired")
