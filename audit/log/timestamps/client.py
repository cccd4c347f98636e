"""Asks a timestamp authority over HTTP (RFC 3161, section 3.4). Never in a transaction."""

import hashlib

from cryptography import x509

from audit.log.addresses import spoken
from audit.log.errors import NotVerified, ParseError
from audit.log.fetching import NotFetched, fetch
from audit.log.timestamps.tokens import MAX_BYTES, VerifiedTimestamp, query, verify_timestamp

TIMEOUT_S = 10  # between two bytes
WHOLE_S = 20.0
ASKS, ANSWERS = "application/timestamp-query", "application/timestamp-reply"


class NotStamped(Exception):
    """The authority gave no timestamp that can be believed; why, in a sentence."""


def ask(address: str, data: bytes, roots: tuple[x509.Certificate, ...]) -> tuple[bytes, VerifiedTimestamp]:
    """The authority's answer over the data, and what it proves.

    Raises:
        NotStamped: It does not answer, or what it answers does not verify.
    """
    if not address.startswith(("http://", "https://")):
        raise NotStamped("The address of the timestamp authority begins with http:// or https://.")
    asked = query(data)
    try:
        found = fetch(
            address,
            most=MAX_BYTES,
            within_s=WHOLE_S,
            silent_s=TIMEOUT_S,
            body=asked.data,
            headers={"Content-Type": ASKS, "Accept": ANSWERS},
        )
    except NotFetched as error:
        raise NotStamped(f"The timestamp authority does not answer: {error}.") from None
    if found.status != 200:
        raise NotStamped(f"The timestamp authority answers {found.status}.")
    answer = found.data
    try:
        return answer, verify_timestamp(answer, hashlib.sha256(data).digest(), roots, asked.nonce)
    except (ParseError, NotVerified) as error:
        raise NotStamped(f"What the timestamp authority answers is not believed. {spoken(str(error))}") from error
