"""Where backups lie, and in which folders. No Django.

``log/`` is a published log like any other; ``backups/`` holds one folder for each backup, ``personal/`` and ``checkpoints/`` one
for each 4,096 entries. The file ``manifest`` is the last backup's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from audit.log.backup.manifest import Manifest, parse_contents, sha256, time_of, verified
from audit.log.errors import ParseError
from audit.log.note import VerifierKey
from audit.log.stores import PassingStore
from audit.log.stores.opening import open_store

HEAD, LOG, BACKUPS, PERSONAL, CHECKPOINTS = "manifest", "log", "backups", "personal", "checkpoints"
BEGINS, STAYED = (
    "begins",
    "stayed",
)  # of a log that was cut: its minimum index, and the places of entries that stay before
RANGE = 4096  # entries
DAY_MS = 86_400_000
MOST_BYTES = 4 * 2**30  # of a file beside the log


class BadBackup(Exception):
    """What lies there is not a whole backup that our key signed."""


@dataclass(frozen=True)
class Target:
    """A place for backups: the log in it, and all else."""

    log: PassingStore
    rest: PassingStore

    def head(self) -> bytes | None:
        """The last manifest, unchecked."""
        return self.rest.read(HEAD)

    def manifest(self, keys: Sequence[VerifierKey], identity: str = "") -> Manifest | None:
        """The manifest of the last backup, or of the one that is named; nothing where there is none.

        Raises:
            ParseError, NotVerified: It is not one of ours.
        """
        data = self.rest.read(f"{folder_of(identity)}/{HEAD}") if identity else self.head()
        return None if data is None else verified(data, keys)

    def contents(self, manifest: Manifest) -> dict[str, str]:
        """SHA-256 of each file of a backup.

        Raises:
            BadBackup: The list is missing, or not the one that was signed.
        """
        path = f"{folder_of(manifest.id)}/contents"
        data = self.rest.read(path)
        if data is None or sha256(data) != manifest.contents:
            raise BadBackup(f"{path} is missing, or is not the one that was signed.")
        try:
            return parse_contents(data)
        except ParseError as error:
            raise BadBackup(f"{path}: {error}") from error

    def file(self, path: str, digest: str) -> bytes:
        """A file of a backup.

        Raises:
            BadBackup: It is missing, or another one.
        """
        data = self.rest.read(path)
        if data is None or sha256(data) != digest:
            raise BadBackup(f"{path} is missing, or is not the one that was backed up.")
        return data


def open_target(address: str) -> Target:
    """The place at an address of `open_store`. ValueError where it names none."""
    return Target(open_store(address, inside=LOG), open_store(address, head=HEAD, most=MOST_BYTES))


def folder_of(identity: str) -> str:
    """Of the files that a backup alone has."""
    return f"{BACKUPS}/{identity}.p"


def personal_folder(number: int, identity: str) -> str:
    """Of the personal values of one range of entries, as a backup wrote them."""
    return f"{PERSONAL}/{number:06}-{identity}.p"


def written_at(folder: str) -> int:
    """When a folder that passes was written (ms), by the name of the backup that wrote it. ParseError where it names none."""
    return time_of(folder.removesuffix(".p")[-25:])
