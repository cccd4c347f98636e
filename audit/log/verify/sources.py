"""Where a published log is read from: a directory, or an address that serves one."""

import http.client
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

MAX_BYTES = 256 * (2 + 65_535)  # the largest resource: a full bundle
TIMEOUT_S = 30


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
            with (self.top / path).open("rb") as file:
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
        wanted = urllib.request.Request(f"{self.prefix.rstrip('/')}/{path}", headers=dict(self.headers))  # noqa: S310 - see `source_of`
        try:
            with urllib.request.urlopen(wanted, timeout=TIMEOUT_S) as answer:  # noqa: S310 - see `source_of`
                data, said = bytes(answer.read(MAX_BYTES + 1)), answer.headers.get("Content-Length", "")
        except urllib.error.HTTPError as error:
            if error.code in (404, 410):
                return None
            raise SourceUnavailable(f"{path}: the server answers {error.code}.") from error
        except (OSError, http.client.HTTPException) as error:  # URLError and time-outs are OSErrors
            raise SourceUnavailable(f"{path} cannot be fetched: {error}.") from error
        if said.isdecimal() and len(data) < min(int(said), MAX_BYTES + 1):
            raise SourceUnavailable(f"{path} was cut short on its way: {len(data)} of {said} bytes.")
        return data


def source_of(text: str) -> Source:
    """The source that a text names; only http and https are fetched.

    Raises:
        SourceUnavailable: There is no such directory.
    """
    if text.startswith(("http://", "https://")):
        return Address(text)
    if not Path(text).is_dir():
        raise SourceUnavailable(f"{text} is no directory.")
    return Folder(Path(text))
