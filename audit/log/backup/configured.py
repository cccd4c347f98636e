"""The settings of backups, read when they are needed: what is missing stops no page."""

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from audit.log.addresses import spoken
from audit.log.backup.age import Identity, Recipient, parse_identities, parse_recipients
from audit.log.backup.making import NotMade, make_backup
from audit.log.backup.passing import Keeping
from audit.log.backup.target import BadBackup, Target, open_target
from audit.log.backup.writing import Made
from audit.log.checkpoints import public_keys
from audit.log.errors import NotVerified, ParseError
from audit.log.keys import load_signer, load_verifiers
from audit.log.note import VerifierKey
from audit.log.sealing import SealingError
from audit.log.signing import SignerKey
from audit.log.stores import Conflict, Overtaken, StoreUnavailable

TROUBLE = (NotMade, BadBackup, NotVerified, ParseError, SealingError, StoreUnavailable, Conflict, Overtaken)


class NotConfigured(Exception):
    """A setting is missing or cannot be read, in a sentence."""


@dataclass(frozen=True)
class Maker:
    """All that a backup is made with."""

    target: Target
    signer: SignerKey
    recipients: tuple[Recipient, ...]
    trusted: tuple[VerifierKey, ...]
    keeping: Keeping

    def make(self) -> Made:
        """Make one. One of `TROUBLE`: none was made."""
        return make_backup(self.target, self.signer, self.recipients, public_keys(), self.keeping, self.trusted)


def is_configured() -> bool:
    """Whether backups are asked for."""
    return bool(settings.PORTAL_BACKUP_TO)


def target_at(address: str) -> Target:
    """The place at an address.

    Raises:
        NotConfigured: It is none.
    """
    if not address:
        raise NotConfigured("No place for backups is given: a directory by its whole path, or s3://bucket/prefix.")
    try:
        return open_target(address)
    except ValueError as error:
        raise NotConfigured(
            f"{spoken(address)} is no place for backups: a whole path, or s3://bucket/prefix."
        ) from error


def maker(address: str = "") -> Maker:
    """What the settings say; ``address`` in the place of the setting's.

    Raises:
        NotConfigured: See there.
    """
    target = target_at(address or settings.PORTAL_BACKUP_TO)
    keeping = Keeping(settings.PORTAL_BACKUP_KEEP_DAYS, settings.PORTAL_BACKUP_ERASURE_DAYS)
    if keeping.keep_days >= keeping.erasure_days:
        raise NotConfigured("PORTAL_BACKUP_KEEP_DAYS must be less than PORTAL_BACKUP_ERASURE_DAYS.")
    _demand("PORTAL_BACKUP_KEY_FILE", "PORTAL_BACKUP_RECIPIENT")
    try:
        signer = load_signer(Path(settings.PORTAL_BACKUP_KEY_FILE))
        trusted = load_verifiers(settings.PORTAL_BACKUP_PUBLIC_KEY) if settings.PORTAL_BACKUP_PUBLIC_KEY else ()
        return Maker(target, signer, parse_recipients(settings.PORTAL_BACKUP_RECIPIENT), trusted, keeping)
    except OSError as error:
        raise NotConfigured(f"PORTAL_BACKUP_KEY_FILE cannot be read: {error.strerror}.") from error
    except ParseError as error:
        raise NotConfigured(f"A setting of backups cannot be read. {error}") from error


def _demand(*names: str) -> None:
    """Say that nothing was given, before what reads it says what nothing is not: an empty path is a directory."""
    missing = [name for name in names if not getattr(settings, name)]
    if missing:
        raise NotConfigured(f"{', '.join(missing)}: not set; manage.py backup_keys makes the keys of backups.")


def signers_of_backups() -> tuple[VerifierKey, ...]:
    """Whose manifests are believed.

    Raises:
        NotConfigured: The setting is missing or malformed.
    """
    _demand("PORTAL_BACKUP_PUBLIC_KEY")
    try:
        return load_verifiers(settings.PORTAL_BACKUP_PUBLIC_KEY)
    except ParseError as error:
        raise NotConfigured(f"PORTAL_BACKUP_PUBLIC_KEY cannot be read. {error}") from error


def identities_in(path: Path) -> tuple[Identity, ...]:
    """The secret keys of age in a file.

    Raises:
        NotConfigured: It cannot be read, or holds none.
    """
    try:
        return parse_identities(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise NotConfigured(f"The identity {path} cannot be read.") from error
    except ParseError as error:
        raise NotConfigured(str(error)) from error
