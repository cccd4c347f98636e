"""Settings of backups over a place of the tests."""

from typing import Any

from audit.log.keys import write_signer
from tests.audit.log.backup.places import Place
from tests.servers import role_url


def configure(settings: Any, place: Place) -> None:
    """As an operator sets them, with a signer of its own; the environment of commands is not touched."""
    key = place.folder.parent / "signer" / "backup.key"
    key.parent.mkdir()
    signer = write_signer(key, "test/backup")
    settings.PORTAL_BACKUP_TO = str(place.folder)
    settings.PORTAL_BACKUP_KEY_FILE = str(key)
    settings.PORTAL_BACKUP_PUBLIC_KEY = signer.verifier().text()
    settings.PORTAL_BACKUP_RECIPIENT = place.recipient
    settings.PORTAL_REHEARSAL_IDENTITY_FILE = str(place.identity)
    settings.PORTAL_REHEARSAL_DATABASE_URL = role_url("owner", "postgres")
