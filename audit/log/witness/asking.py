"""What a witness has cosigned last, as it shows it to everybody: ``GET /<hash of the origin>/checkpoint``.

C2SP tlog-witness leaves the way open by which others than the log learn that ("TBD Monitor Retrieval Mechanism"). Ours shows it at that path; of a
witness that shows nothing there nothing is known.
"""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from audit.log.checkpoint import VerifiedCheckpoint, parse_checkpoint, verify_checkpoint
from audit.log.cosignature import CosignerKey, verify_cosignatures
from audit.log.errors import NotVerified, ParseError
from audit.log.fetching import NotFetched, fetch
from audit.log.note import VerifierKey
from audit.log.witness.client import MAX_ANSWER, TIMEOUT_S
from audit.log.witness.listed import Listed
from audit.log.witness.state import origin_hash

PATIENCE_S = 10.0  # with all of them together
NOT_THERE = (404, 405, 410)


@dataclass(frozen=True)
class Shown:
    """What a witness showed: ``head``, signed by the log and by the witness; where there is none, ``why``.

    ``silent``: it could not be looked at. A witness that has cosigned nothing yet, or shows nothing to others, is not silent.
    """

    by: CosignerKey
    head: VerifiedCheckpoint | None = None
    why: str = ""
    silent: bool = False


class _NotShown(Exception):
    pass


def ask_all(listed: Sequence[Listed], keys: Sequence[VerifierKey], patience_s: float = PATIENCE_S) -> list[Shown]:
    """What each of them has cosigned last; all are asked at once, and whoever takes longer is silent.

    Args:
        listed: The witnesses.
        keys: The log's public keys.
        patience_s: How long to wait for all of them, in seconds.

    Raises:
        NotVerified: There is no key.
    """
    if listed and not keys:
        raise NotVerified("No public key of the log is set, so nothing that a witness shows can be proved.")
    found: dict[CosignerKey, Shown] = {}
    asking = [threading.Thread(target=_ask, args=(each, keys, found), daemon=True) for each in listed]
    end = time.monotonic() + patience_s
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join(max(0.0, end - time.monotonic()))
    late = "It takes too long to answer."
    return [found.get(each.key) or Shown(each.key, why=late, silent=True) for each in listed]


def _ask(listed: Listed, keys: Sequence[VerifierKey], found: dict[CosignerKey, Shown]) -> None:
    try:
        data = _get(listed.address, keys[0].name)
        head = _judged(data, listed.key, keys) if data is not None else None
        found[listed.key] = Shown(listed.key, head, "" if head else "It shows no checkpoint of this log.")
    except _NotShown as error:
        found[listed.key] = Shown(listed.key, why=str(error), silent=True)
    except (ParseError, NotVerified) as error:
        found[listed.key] = Shown(listed.key, why=f"What it shows proves nothing. {error}", silent=True)


def _get(address: str, origin: str) -> bytes | None:
    place = f"{address.rstrip('/')}/{origin_hash(origin)}/checkpoint"
    try:
        answer = fetch(place, most=MAX_ANSWER, within_s=PATIENCE_S, silent_s=TIMEOUT_S, direct=True)
    except NotFetched as error:
        raise _NotShown(f"It cannot be reached: {error.kind}.") from None
    if answer.status in NOT_THERE:
        return None
    if answer.status != 200 or len(answer.data) > MAX_ANSWER:
        raise _NotShown(f"It answers {answer.status} with {len(answer.data)} bytes.")
    return answer.data


def _judged(data: bytes, witness: CosignerKey, keys: Sequence[VerifierKey]) -> VerifiedCheckpoint:
    head = verify_checkpoint(parse_checkpoint(data), keys)
    if not verify_cosignatures(head.signed.note, [witness]):
        raise NotVerified("The key that is listed has not cosigned it.")
    return head
