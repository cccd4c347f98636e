"""Events in the real tables, appended by the one writer, and sealed with the run's key."""

import os
import time
import uuid
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from audit.log.append import Entry, append_many, process
from audit.log.erased import subject_of
from audit.log.keys import load_signer
from audit.log.sealing import seal_once
from audit.log.signing import SignerKey

TEST = process("test")


def run_signer() -> SignerKey:
    """The key whose public half is in the settings of the run."""
    return load_signer(Path(os.environ["PORTAL_LOG_KEY_FILE"]))


def appended(count: int = 1) -> list[uuid.UUID]:
    """Events with two personal values each, committed unless the test holds a transaction."""
    fields = {"person_id": "p", "name": "Ada Lovelace", "email": "ada@example.org"}
    with transaction.atomic():
        return append_many([Entry("person.added", TEST, dict(fields)) for _ in range(count)])


def sealed(count: int = 1) -> list[uuid.UUID]:
    """Events that were appended and sealed at once."""
    found = appended(count)
    while seal_once(connection, run_signer(), time.time_ns() // 1_000_000):
        pass
    return found


def erase(event: uuid.UUID, field: str = "name") -> None:
    """As the eraser does: the value goes, and an event says so, which waits to be sealed."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM audit_personal_value WHERE event_id = %s AND field = %s", [event, field])
        said = {"event_id": str(event), "field": field, "basis": "asked for"}
        append_many([Entry("personal_value.erased", TEST, said, subject=subject_of(event))])


def doctored(statement: str, *parameters: Any) -> None:
    """Change the stored log behind its triggers, as an owner of the database could."""
    tables = (
        "audit_event", "audit_personal_value", "audit_sealed_entry", "audit_checkpoint", "audit_tile", "audit_cosignature",
    )  # fmt: skip
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # checks that are pending would hold up ALTER TABLE
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER only_grows")
        cursor.execute(statement, parameters)
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER only_grows")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
