"""The process that seals the log, with its own key and database role."""

import os
import signal
import threading
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from audit.log.databases import alias_of
from audit.log.errors import ParseError
from audit.log.key_service import connect
from audit.log.keys import load_signer, load_verifiers
from audit.log.note import VerifierKey
from audit.log.sealer import Sealer
from audit.log.sealing import SealingError
from audit.log.signing import CannotSign, Signer
from audit.log.stores import Store
from audit.log.stores.opening import open_store
from audit.log.witness.listed import parse_witnesses
from audit.log.witnessing import Witnessing


class Command(BaseCommand):
    """Seals until SIGTERM or SIGINT; a second sealer waits until the first is gone."""

    help = "Seal the log: index queued events, extend the tree, sign checkpoints. One works at a time."
    requires_system_checks = ()  # the sealer serves no page and holds none of the web's settings

    def handle(self, *args: Any, **options: Any) -> None:
        """Read the key, then work until told to stop."""
        signer = the_signer()
        trusted = trusted_beside(signer)
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        seen = os.environ.get("PORTAL_LOG_SEEN_FILE", "")
        try:
            Sealer(
                sealer_database(), signer, stop, trusted, Path(seen) if seen else None, published_to(), shown_to()
            ).run()
        except SealingError as error:
            raise CommandError(str(error)) from error


def the_signer() -> Signer:
    """The key in its file, or the service that keeps it."""
    path, service = os.environ.get("PORTAL_LOG_KEY_FILE", ""), os.environ.get("PORTAL_LOG_KEY_SERVICE", "")
    if not path and not service:
        raise CommandError("PORTAL_LOG_KEY_FILE is not set; manage.py log_keys makes a key.")
    try:
        return connect(Path(service)) if service else load_signer(Path(path))
    except CannotSign as error:
        raise CommandError(f"PORTAL_LOG_KEY_SERVICE: {error}") from error
    except OSError as error:
        raise CommandError(f"The key file {path} cannot be read: {error.strerror}.") from error
    except ParseError as error:
        raise CommandError(f"A key of the log cannot be read. {error}") from error


def trusted_beside(signer: Signer) -> tuple[VerifierKey, ...]:
    """The log's public keys; where any are set, the signer's own is among them."""
    public = settings.PORTAL_LOG_PUBLIC_KEY
    try:
        trusted = load_verifiers(public) if public else ()
    except ParseError as error:
        raise CommandError(f"A key of the log cannot be read. {error}") from error
    if trusted and signer.verifier() not in trusted:
        of = os.environ.get("PORTAL_LOG_KEY_SERVICE") or os.environ["PORTAL_LOG_KEY_FILE"]
        raise CommandError(f"PORTAL_LOG_PUBLIC_KEY does not hold the public half of {of}.")
    return trusted


def published_to() -> Store | None:
    """The store of the setting; nothing where none is set."""
    address = settings.PORTAL_LOG_STORE
    try:
        return open_store(address) if address else None
    except ValueError as error:
        raise CommandError(f"PORTAL_LOG_STORE: {error}") from error


def shown_to() -> Witnessing:
    """The witnesses of the setting."""
    try:
        return Witnessing(parse_witnesses(settings.PORTAL_LOG_WITNESSES))
    except ParseError as error:
        raise CommandError(f"PORTAL_LOG_WITNESSES: {error}") from error


def sealer_database() -> str:
    """The alias of the database as the sealer's role sees it."""
    try:
        return alias_of("sealer", settings.SEALER_DATABASE_URL)
    except ValueError:
        raise CommandError("SEALER_DATABASE_URL cannot be read as the address of a database.") from None
