"""Each database role can do what it must, and nothing more: tried as that role, on the real server."""

import psycopg
import pytest
from django.db import connection, transaction

from audit.log import rights
from audit.log.append import Entry, append_many, process
from tests.servers import role_url

pytestmark = pytest.mark.django_db(transaction=True)
REFUSED = (
    ("web", "UPDATE audit_event SET name = 'x'"),
    ("web", "DELETE FROM audit_event"),
    ("web", "TRUNCATE audit_event CASCADE"),
    ("web", "DELETE FROM audit_personal_value"),
    ("web", "UPDATE audit_personal_value SET value = 'x'"),
    ("web", "DELETE FROM audit_queue"),
    (
        "web",
        "INSERT INTO audit_sealed_entry (index, event_id, leaf_hash, sealed_at) VALUES (0, gen_random_uuid(), '', 0)",
    ),
    ("web", "INSERT INTO audit_checkpoint VALUES (1, '', '', 0)"),
    ("web", "DELETE FROM auditlog_logentry"),
    ("web", "ALTER TABLE audit_event DISABLE TRIGGER ALL"),
    ("sealer", "INSERT INTO audit_event SELECT * FROM audit_event"),
    ("sealer", "UPDATE audit_checkpoint SET size = 1"),
    ("sealer", "SELECT value FROM audit_personal_value"),
    ("sealer", "SELECT * FROM portal_person"),
    ("eraser", "UPDATE audit_event SET name = 'x'"),
    ("eraser", "SELECT * FROM portal_person"),
    ("reader", "INSERT INTO audit_queue (event_id) VALUES (gen_random_uuid())"),
    ("reader", "SELECT key FROM otp_totp_totpdevice"),
    ("reader", "SELECT password FROM portal_person"),
    ("reader", "SELECT secret FROM portal_grant"),
)
ALLOWED = (
    ("web", "SELECT count(*) FROM audit_event"),
    ("web", "SELECT count(*) FROM portal_grant"),
    ("sealer", "SELECT count(*) FROM audit_event"),
    ("sealer", "DELETE FROM audit_queue"),
    ("eraser", "DELETE FROM audit_personal_value"),
    ("reader", "SELECT count(*) FROM audit_event"),
)


def as_role(role: str, statement: str) -> None:
    with psycopg.connect(role_url(role, str(connection.settings_dict["NAME"])), autocommit=True) as login:
        login.execute(statement.encode())


@pytest.fixture(autouse=True)
def _rights() -> None:
    rights.apply_rights()


def outcome(role: str, statement: str) -> str:
    try:
        as_role(role, statement)
    except psycopg.errors.InsufficientPrivilege:
        return "refused"
    return "done"


def test_roles_are_refused_what_is_not_theirs() -> None:
    assert {pair: outcome(*pair) for pair in REFUSED} == dict.fromkeys(REFUSED, "refused")


def test_roles_may_do_what_they_must() -> None:
    assert {pair: outcome(*pair) for pair in ALLOWED} == dict.fromkeys(ALLOWED, "done")


def test_even_the_owner_cannot_change_an_event() -> None:

    with transaction.atomic():
        append_many([Entry("log.refused", process("test"), {"from_at": 1, "to_at": 2, "count": 3})])
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="only grows"):
        as_role("owner", "UPDATE audit_event SET name = 'x'")
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="only grows"):
        as_role("owner", "DELETE FROM audit_event")
