"""Asks one witness for its cosignature (C2SP tlog-witness): one request at a time over one connection that is kept."""

import http.client
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from audit.log.checkpoint import VerifiedCheckpoint, parse_size
from audit.log.cosignature import Cosigned, CosignerKey, parse_lines, verify_cosignatures
from audit.log.errors import NotVerified, ParseError
from audit.log.fetching import Deadline, Plain, Tls
from audit.log.note import Note

TIMEOUT_S = 2.0  # between two bytes
WHOLE_S = 4.0  # for one answer
MAX_ANSWER = 16_384


class NotCosigned(Exception):
    """The witness did not cosign; why, in a sentence."""


class OtherSize(NotCosigned):
    """The witness has seen another size than was thought; ``size`` entries."""

    def __init__(self, size: int) -> None:
        """Keep the size."""
        super().__init__(f"The witness has seen {size} entries.")
        self.size = size


@dataclass
class Client:
    """One witness at an address (http or https, a path may follow)."""

    key: CosignerKey
    address: str
    _connection: Plain | Tls | None = field(default=None, repr=False)

    def ask(self, body: bytes, checkpoint: VerifiedCheckpoint) -> Cosigned:
        """The cosignature of the checkpoint that the body (`write_request`) asks for, checked.

        Raises:
            OtherSize: The proof must begin at another size.
            NotCosigned: The witness cannot be reached, refuses, or answers with something else.
        """
        status, data = self._post(body)
        if status == 409:
            raise OtherSize(_size(data))
        if status != 200:
            raise NotCosigned(f"The witness answers {status}.")
        try:
            lines = parse_lines(data)
            found = verify_cosignatures(Note(checkpoint.signed.note.text, lines), [self.key])
        except (ParseError, NotVerified) as error:
            raise NotCosigned(f"The answer of the witness proves nothing. {error}") from error
        if not found:
            raise NotCosigned("The witness answers with another key than the one that is listed.")
        return found[0]

    def _post(self, body: bytes) -> tuple[int, bytes]:
        """Once more over a new connection where the kept one was closed meanwhile."""
        for fresh in (False, True):
            kept = self._connection is not None
            try:
                return self._once(body)
            except (OSError, http.client.HTTPException) as error:
                self.close()
                if fresh or not kept:
                    raise NotCosigned(f"The witness cannot be reached: {type(error).__name__}.") from error
        raise AssertionError("one of the two tries has answered")

    def _once(self, body: bytes) -> tuple[int, bytes]:
        parts = urlsplit(self.address)
        if self._connection is None:
            kind = Tls if parts.scheme == "https" else Plain
            self._connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_S)
        connection, path = self._connection, f"{parts.path.rstrip('/')}/add-checkpoint"
        with Deadline(WHOLE_S) as end:
            connection.end = end
            end.keep(connection.sock)
            connection.request("POST", path, body, {"Content-Type": "text/plain; charset=utf-8"})
            answer = connection.getresponse()
            data = answer.read(MAX_ANSWER + 1)
            if end.over:
                self.close()
                raise NotCosigned(f"The witness cannot be reached: {end.late()}.")
        if len(data) > MAX_ANSWER:
            self.close()
            raise NotCosigned("The answer of the witness is too long.")
        return answer.status, data

    def close(self) -> None:
        """Give the connection up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _size(data: bytes) -> int:
    try:
        return parse_size(data.decode("ascii").removesuffix("\n"))
    except (UnicodeDecodeError, ParseError) as error:
        raise NotCosigned("The witness does not say which size it has seen.") from error
