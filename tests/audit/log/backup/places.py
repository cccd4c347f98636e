"""A place for backups with fresh keys, empty databases beside the test's, and the whole of a database as text."""

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.db import connection
from psycopg import sql

from audit.log.backup import tables
from audit.log.backup.age import decrypted, new_identity, parse_identities, parse_recipients
from audit.log.backup.making import make_backup
from audit.log.backup.manifest import Manifest
from audit.log.backup.passing import Keeping
from audit.log.backup.restoring import Restored, restore
from audit.log.backup.target import Target, open_target
from audit.log.backup.writing import Made
from audit.log.note import VerifierKey
from audit.log.signing import SignerKey
from audit.log.stores import Store
from audit.log.stores.directory import DirectoryStore
from audit.log.verify.check import Wanted, check
from audit.log.verify.sources import Folder
from tests.audit.log.logged import run_signer
from tests.migrated import PATTERN, _drop, _make, _use
from tests.servers import role_url


@dataclass(frozen=True)
class Place:
    """Where backups go, who signs them, and who can read them."""

    address: str
    target: Target
    signer: SignerKey
    recipient: str
    identity: Path

    @property
    def folder(self) -> Path:
        """Where it is one of this machine."""
        return Path(self.address)

    def backup(self, keeping: Keeping | None = None) -> Made:
        recipients = parse_recipients(self.recipient)
        return make_backup(self.target, self.signer, recipients, [run_signer().verifier()], keeping or Keeping())

    def restore(self, published: Store | None = None, backup: str = "", *, older: bool = False) -> Restored:
        """In this process, into the database of the connection."""
        identities = parse_identities(self.identity.read_text())
        return restore(
            self.target,
            identities,
            [self.signer.verifier()],
            [run_signer().verifier()],
            published=published,
            backup=backup,
            older=older,
        )

    def restore_command(self, database: str, *more: str) -> subprocess.CompletedProcess[str]:
        """``manage.py restore`` as an operator runs it."""
        environment = dict(os.environ) | {
            "DATABASE_URL": role_url("owner", database), "PORTAL_BACKUP_PUBLIC_KEY": self.signer.verifier().text(),
        }  # fmt: skip
        command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "restore", "--from", self.address]
        command += ["--identity", str(self.identity), *more]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    def files(self) -> dict[str, bytes]:
        """All that lies there, in a folder."""
        found = (path for path in self.folder.rglob("*") if path.is_file())
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in found}

    def opened(self) -> bytes:
        """All that lies there, opened with the identity, one after the other."""
        identities = parse_identities(self.identity.read_text())
        whole = self.files().items()
        return b"".join(decrypted(data, identities) if path.endswith(".age") else data for path, data in whole)


def place(folder: Path, address: str = "") -> Place:
    """A folder, or what the address names; the identity lies beside."""
    secret, public = new_identity()
    identity = folder / "backup.identity"
    identity.write_text(secret)
    address = address or str(folder / "backups")
    return Place(
        address, open_target(address), SignerKey("test/backup", Ed25519PrivateKey.generate()), public, identity
    )


def whole_backup(target: Target, keys: list[VerifierKey], identity: str = "") -> Manifest:
    """What the last manifest in a folder, or the named one, lists: each file as it was, and the log up to its size."""
    manifest = target.manifest(keys, identity)
    assert manifest is not None
    for path, digest in target.contents(manifest).items():
        target.file(path, digest)
    assert isinstance(target.log, DirectoryStore)
    verdict, _ = check(Folder(target.log.folder), Wanted([run_signer().verifier()]))
    assert (verdict.damages, verdict.size >= manifest.size) == ([], True)
    return manifest


@contextmanager
def empty_database(pattern: str = PATTERN) -> Iterator[str]:
    """One that is migrated and empty, or as PostgreSQL makes it from ``template0``; it goes again."""
    name = f"restored_{uuid.uuid4().hex[:8]}"
    _make(name, pattern)
    try:
        yield name
    finally:
        _drop(name)


@contextmanager
def working_in(database: str) -> Iterator[None]:
    before = str(connection.settings_dict["NAME"])
    _use(database)
    try:
        yield
    finally:
        _use(before)


def whole() -> dict[str, list[str]]:
    """Every row of every table but those that a backup leaves out."""
    found = {}
    names = sorted({table.name for table in tables.kept_tables()} | set(tables.OF_SEALER))
    with connection.cursor() as cursor:
        for name in names:
            cursor.execute(sql.SQL("SELECT t::text FROM {} t ORDER BY 1").format(sql.Identifier(name)))
            found[name] = [row[0] for row in cursor.fetchall()]
    return found
