"""What tests of sources share: a declared source, a grant behind a marker, folders of log files."""

import uuid
from pathlib import Path
from typing import Any

from django.db import transaction

from audit.log.append import append, process
from audit.sources.declared import Source

PORTAL = process("test")
VECTORS = Path(__file__).parent / "vectors"


def recorded() -> list[bytes]:
    """The lines of the recorded log; `record.py` beside it is the recipe."""
    return (VECTORS / "postgresql-18.jsonl").read_bytes().splitlines()


def declare(log_dir: Path, kind: str = "postgresql", counting: str = "line_num per session", **settings: Any) -> Source:
    """Declare a source in the log, as the portal does."""
    source_id, system_id = str(uuid.uuid4()), str(uuid.uuid4())
    settings = {"log_dir": str(log_dir), "portal_login": "bg_portal", "declared_logins": "portal_super", **settings}
    rule = {"narrows": False, "changed_by": str(uuid.uuid4()), "effective_at": 1}
    with transaction.atomic():
        append(
            "source.declared", by=PORTAL, subject=f"source:{source_id}", source_id=source_id, system_id=system_id, kind=kind,
            counting=counting, settings=settings, **rule,
        )  # fmt: skip
    return Source(source_id, system_id, kind, counting, settings, 1)


def open_grant(source: Source, marker: str) -> str:
    """The events that tie a marker to a grant and its case; the grant's id."""
    grant_id, case = str(uuid.uuid4()), str(uuid.uuid4())
    subject = f"grant:{grant_id}"
    with transaction.atomic():
        append(
            "grant.authorised", by=PORTAL, case=case, subject=subject, grant_id=grant_id, person_id=str(uuid.uuid4()),
            system_id=source.system_id, privilege_id=str(uuid.uuid4()), number=int(marker.removeprefix("bg_")), mode="approved",
            minutes=60, policy_sha256="00", exposes_secret=False,
        )  # fmt: skip
        append(
            "grant.opening", by=PORTAL, case=case, subject=subject, grant_id=grant_id, attempt=1, login=marker, marker=marker,
            expires_at=2,
        )  # fmt: skip
    return grant_id
