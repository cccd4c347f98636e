"""Answers of a timestamp authority (RFC 3161): asked for, read, and believed only against its trusted certificates. No Django.

SHA-256 alone. Certificates need to have been valid at the time of the timestamp, as they are when it is checked years later.
"""

from dataclasses import dataclass, field

from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerifierBuilder,
    decode_timestamp_response,
)

from audit.log.addresses import spoken
from audit.log.errors import NotVerified, ParseError

MAX_AUTHORITY = 300  # characters of its name that are kept
MAX_BYTES = 64 * 1024  # an answer with its certificates has a few thousand
SHA256 = "2.16.840.1.101.3.4.2.1"
_CHECKED = object()


@dataclass(frozen=True)
class Query:
    """What is sent to the authority, and the number (nonce) that its answer must repeat."""

    data: bytes
    nonce: int | None


@dataclass(frozen=True)
class VerifiedTimestamp:
    """That data of this SHA-256 was there at a time (ms). Only `verify_timestamp` makes one."""

    sha256: bytes
    at: int
    authority: str
    checked: object = field(repr=False, compare=False, default=None)

    def __post_init__(self) -> None:
        """Refuse to be made elsewhere."""
        if self.checked is not _CHECKED:
            raise TypeError("A VerifiedTimestamp comes from verify_timestamp alone.")


def query(data: bytes) -> Query:
    """A request for a timestamp over the SHA-256 of the data; the answer is to hold the authority's certificate."""
    made = TimestampRequestBuilder(
        data=data, hash_algorithm=HashAlgorithm.SHA256, nonce=True, cert_req=True
    ).build()  # fmt: skip
    return Query(made.as_bytes(), made.nonce)


def parse_roots(pem: bytes) -> tuple[x509.Certificate, ...]:
    """Certificates that are trusted, one or several in PEM.

    Raises:
        ParseError: There is none, or one cannot be read.
    """
    try:
        return tuple(x509.load_pem_x509_certificates(pem))
    except ValueError as error:
        raise ParseError("This is no certificate in PEM.") from error


def verify_timestamp(
    answer: bytes, sha256: bytes, roots: tuple[x509.Certificate, ...], nonce: int | None = None
) -> VerifiedTimestamp:
    """Believe an authority's answer about data of this hash.

    Raises:
        ParseError: The bytes are no answer of one.
        NotVerified: It gave no timestamp, or one of other data, without the nonce, or under certificates that are not trusted.
    """
    read = _read(answer)
    verifier = VerifierBuilder(roots=list(roots), nonce=nonce).build()
    try:
        if read.tst_info.message_imprint.hash_algorithm.dotted_string != SHA256:
            raise NotVerified("The timestamp is not one over SHA-256.")
        at, authority = read.tst_info.gen_time, _authority(read)
        verifier.verify(read, sha256)
    except NotVerified:
        raise
    except Exception as error:  # the library raises what it meets in a token that was made to harm it
        raise NotVerified(f"The timestamp does not verify. {error}") from error
    return VerifiedTimestamp(sha256, round(at.timestamp() * 1000), authority, _CHECKED)


def parse_imprint(answer: bytes) -> bytes:
    """The SHA-256 of what an answer says that it is about; nothing of it is believed.

    Raises:
        ParseError: The bytes are no answer of an authority, or one over no SHA-256.
    """
    try:
        imprint = _read(answer).tst_info.message_imprint
        algorithm, said = imprint.hash_algorithm.dotted_string, bytes(imprint.message)
    except ParseError:
        raise
    except Exception as error:  # the library raises what it meets in a token that was made to harm it
        raise ParseError("The answer of the authority holds no timestamp.") from error
    if algorithm != SHA256:
        raise ParseError("The timestamp is not one over SHA-256.")
    return said


def _read(answer: bytes) -> TimeStampResponse:
    if len(answer) > MAX_BYTES:
        raise ParseError(f"An answer has at most {MAX_BYTES} bytes.")
    try:
        return decode_timestamp_response(answer)
    except ValueError as error:
        raise ParseError("The answer of the authority cannot be read.") from error


def _authority(read: TimeStampResponse) -> str:
    """The subject of the certificate that signed, as RFC 4514 writes it."""
    (signer,) = read.signed_data.signer_infos
    for each in map(x509.load_der_x509_certificate, read.signed_data.certificates):
        if (each.issuer, each.serial_number) == (signer.issuer, signer.serial_number):
            return spoken(each.subject.rfc4514_string())
    raise NotVerified("The timestamp does not carry the certificate that signed it.")
