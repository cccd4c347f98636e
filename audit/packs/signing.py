"""The signature of a PDF: PAdES, by the operator's P-256 key, certifying that nothing may be changed afterwards."""

import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, pkcs12
from django.conf import settings

from audit.packs.demo_signer import DEMO_PASSWORD, demo_p12

FIELD = "PortalSignature"


class CannotSign(RuntimeError):
    """There is a key to sign with, and it cannot be used; the text is a sentence for the operator."""


@dataclass(frozen=True)
class SigningKey:
    """Who signs: a PKCS#12 with its passphrase, and what it holds."""

    p12: bytes = field(repr=False)
    password: bytes = field(repr=False)
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...]

    @property
    def name(self) -> str:
        """The common name of its certificate."""
        found = self.certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        return str(found[0].value) if found else self.certificate.subject.rfc4514_string()

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate in DER, hexadecimal."""
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    @property
    def root(self) -> x509.Certificate:
        """The last certificate of its chain: what a reader trusts, or does not."""
        return self.chain[-1] if self.chain else self.certificate


def signing_key() -> SigningKey | None:
    """The operator's key; the demo and tests make one of their own, named so. Nothing where none is set.

    Raises:
        CannotSign: the file cannot be read, or its key is none on P-256.
    """
    if settings.PORTAL_SIGNING_P12:
        return read_key(Path(settings.PORTAL_SIGNING_P12), settings.PORTAL_SIGNING_PASSWORD.encode())
    if settings.PORTAL_PRODUCTION:
        return None
    return read_key(demo_p12(settings.PORTAL_DATA / "signing"), DEMO_PASSWORD)


def read_key(path: Path, password: bytes) -> SigningKey:
    """Read a PKCS#12.

    Raises:
        CannotSign: it cannot be read, or its key is none on P-256.
    """
    try:
        data = path.read_bytes()
        key, certificate, others = pkcs12.load_key_and_certificates(data, password or None)
    except (OSError, ValueError) as error:
        raise CannotSign(f"The signing key {path} cannot be read: {error}.") from error
    if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1) or certificate is None:
        raise CannotSign(f"The signing key {path} is not a P-256 key with its certificate; readers of PDFs know those.")
    return SigningKey(data, password, certificate, tuple(others))


def sign(pdf: bytes, key: SigningKey) -> bytes:
    """The PDF with a certification signature that allows no change."""
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter  # noqa: PLC0415 - slow to load
    from pyhanko.sign import PdfSignatureMetadata, signers  # noqa: PLC0415 - likewise
    from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter  # noqa: PLC0415 - likewise

    signer = signers.SimpleSigner.load_pkcs12_data(key.p12, other_certs=[], passphrase=key.password or None)
    said = PdfSignatureMetadata(
        field_name=FIELD, md_algorithm="sha256", certify=True, docmdp_permissions=MDPPerm.NO_CHANGES,
        subfilter=SigSeedSubFilter.PADES, reason="Made by the portal from its sealed log", name=key.name,
    )  # fmt: skip
    with ThreadPoolExecutor(
        max_workers=1
    ) as hand:  # pyHanko runs an event loop of its own, and a thread may have one already
        out: Any = hand.submit(
            signers.sign_pdf, IncrementalPdfFileWriter(io.BytesIO(pdf)), said, signer=signer
        ).result()
    return bytes(out.getvalue())


def root_pem(key: SigningKey) -> bytes:
    """The certificate that a reader is to trust, as PEM."""
    return key.root.public_bytes(Encoding.PEM)
