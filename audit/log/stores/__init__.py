"""Where the log is published for everybody: static files below one prefix, as C2SP tlog-tiles names them. No Django.

Two kinds of resource: what never changes once it is there (tiles, entry bundles), and the *head*, the file ``checkpoint``, which is moved
forward by compare and set, so that a publisher that was overtaken while it slept moves nothing.

What lies in a folder whose name ends in ``.p`` passes: partial tiles, and what a backup holds of people.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

HEAD = "checkpoint"
MOST_BYTES = 32 * 2**20
"""Of a resource of a log: a full bundle has at most 16.8 million."""


def check_bundle(path: str) -> str:
    """The path of a full entry bundle, as it was given.

    Raises:
        ValueError: it is another resource, and those are never cut.
    """
    if not path.startswith("tile/entries/") or path.rpartition("/")[0].endswith(".p"):
        raise ValueError(f"{path} is no full bundle of entries.")
    return path


class StoreUnavailable(Exception):
    """The store does not answer, or cannot be written; what was published before stands."""


class Conflict(Exception):
    """At this path lie other bytes, though what lies there never changes: another history was written here."""


class Overtaken(Exception):
    """The head is not the one that this publisher read: somebody else has published."""


Still = Callable[[], None]
"""Raises `Overtaken` where somebody else has published since the publication began."""


def always() -> None:
    """For whoever publishes alone."""


class Store(Protocol):
    """A place that keeps resources by their path. Every call may raise `StoreUnavailable`."""

    def check(self) -> None:
        """See to it, before the first use, that the place keeps what is put there; `StoreUnavailable` says what it lacks."""

    def read(self, path: str) -> bytes | None:
        """The bytes of a resource; nothing where it is missing. One that has more than the store was opened for is `StoreUnavailable`."""

    def put(self, resources: dict[str, bytes], still: Still = always) -> None:
        """Keep resources that never change; they are durable when this returns, and the same bytes may be put again.

        ``still`` is asked before each of them, so that a publisher that was paused puts nothing more beside what others published meanwhile; between
        the answer and the write lies no more than that one resource.

        Raises:
            Conflict: Other bytes lie at one of the paths.
            Overtaken: By ``still``.
        """

    def move_head(self, before: bytes | None, after: bytes) -> None:
        """Put ``after`` in the place of the head, which must still be ``before`` (nothing: there is none yet); durable when this returns.

        Raises:
            Overtaken: It is not.
        """

    def beside(self, head: str) -> "Store":
        """The same place, of which another file is moved."""

    def forget(self, folders: list[str]) -> None:
        """Remove the partial resources below these folders (``tile/0/000.p``), whose full ones are there."""

    def listed(self, below: str) -> list[str]:
        """The paths of all resources below a folder, in order."""

    def locked_until(self, path: str) -> datetime | None:
        """Until when nobody can remove the resource; nothing where it can be removed, or is not there."""

    def cut(self, paths: list[str]) -> None:
        """Remove full bundles, one after the other in this order, with all versions; those that are gone already are passed over."""


class ClearedStore(Store, Protocol):
    """A store that can let go of what no head ever covered."""

    def remove(self, paths: list[str]) -> None:
        """Take resources away. In a bucket they stay as earlier versions for as long as they are locked."""


class PassingStore(ClearedStore, Protocol):
    """A store that can say what passes in it, and erase it for good."""

    def passing(self, below: str) -> list[str]:
        """The folders below this one (``personal/000-….p``) whose resources pass, also those of which only erased versions are left."""

    def erase(self, folders: list[str]) -> None:
        """Remove such folders with all that was ever in them; nothing of it can be read afterwards."""
