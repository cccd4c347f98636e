"""Where a published log is read from: a directory, or an address that serves one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from audit.log.addresses import spoken
from audit.log.durable import at_once
from audit.log.fetching import NotFetched, fetch

MAX_BYTES = 256 * (2 + 65_535)  # the largest resource: a full bundle
TIMEOUT_S = 30  # between two bytes
WHOLE_S = 300.0  # for one resource


class SourceUnavailable(Exception):
    """The source does not answer, so nothing can be said of the log."""


class Source(Protocol):
    """Reads resources by their path."""

    def read(self, path: str) -> bytes | None:
        """The bytes, at most a little more than the largest resource has; nothing where the resource is missing.

        Raises:
            SourceUnavailable: It cannot be known whether it is missing.
        """


@dataclass(frozen=True)
class Folder:
    """A directory."""

    top: Path

    def read(self, path: str) -> bytes | None:
        """See `Source.read`."""
        try:
            with open(self.top / path, "rb", opener=at_once) as file:
                return file.read(MAX_BYTES + 1)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        except OSError as error:
            raise SourceUnavailable(f"{path} cannot be read: {error.strerror}.") from error


@dataclass(frozen=True)
class Address:
    """An address (http or https) below which the files are served."""

    prefix: str
    headers: Mapping[str, str] = field(default_factory=lambda: {"Accept-Encoding": "identity"})

    def read(self, path: str) -> bytes | None:
        """See `Source.read`."""
        place = f"{self.prefix.rstrip('/')}/{path}"
        try:
            found = fetch(place, most=MAX_BYTES, within_s=WHOLE_S, silent_s=TIMEOUT_S, headers=self.headers)
        except NotFetched as error:
            raise SourceUnavailable(f"{path} cannot be fetched: {error}.") from None
        if found.status in (404, 410):
            return None
        if found.status != 200:
            raise SourceUnavailable(f"{path}: the server answers {found.status}.")
        if found.length is not None and len(found.data) < min(found.length, MAX_BYTES + 1):
            raise SourceUnavailable(f"{path} was cut short on its way: {len(found.data)} of {found.length} bytes.")
        return found.data


def source_of(text: str) -> Source:
    """The source that a text names; only http and https are fetched.

    Raises:
        SourceUnavailable: There is no such directory.
    """
    if text.startswith(("http://", "https://")):
        return Address(text)
    if not Path(text).is_dir():
        raise SourceUnavailable(f"{spoken(text)} is no directory.")
    return Folder(Path(text))
