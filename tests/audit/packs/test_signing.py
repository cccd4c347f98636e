"""The signature: valid for readers that are not ours, broken by one byte, by a P-256 key alone."""

import io
import shutil
import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import pem
from asn1crypto import x509 as certificates
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from audit.packs.demo_signer import DEMO_PASSWORD, demo_p12
from audit.packs.render import Metadata, render_pdf
from audit.packs.signing import CannotSign, SigningKey, read_key, root_pem, sign, signing_key
from tests.audit.packs.archival import faults

ABOUT = Metadata("A title", "An author", "A subject", 1_790_000_000_000, "ab" * 32)


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    return read_key(demo_p12(tmp_path_factory.mktemp("signing")), DEMO_PASSWORD)


@pytest.fixture(scope="module")
def signed(key: SigningKey) -> bytes:
    return sign(render_pdf("<html><body><p>Evidence</p></body></html>", [], ABOUT), key)


def _status(pdf: bytes, key: SigningKey):  # type: ignore[no-untyped-def]  # pyHanko ships no types
    trusted = ValidationContext(
        trust_roots=[certificates.Certificate.load(pem.unarmor(root_pem(key))[2])], allow_fetching=False
    )
    (signature,) = PdfFileReader(io.BytesIO(pdf)).embedded_signatures
    with ThreadPoolExecutor(max_workers=1) as hand:  # an earlier test of this worker may have left an event loop
        return signature, hand.submit(validate_pdf_signature, signature, trusted).result()


def test_signature_is_intact_trusted_and_certifies_that_nothing_changes(signed: bytes, key: SigningKey) -> None:
    signature, status = _status(signed, key)
    assert (status.intact, status.valid, status.trusted) == (True, True, True)
    assert status.modification_level == ModificationLevel.NONE
    assert signature.docmdp_level is not None
    assert signature.docmdp_level.name == "NO_CHANGES"
    assert str(signature.sig_object["/SubFilter"]) == "/ETSI.CAdES.detached"


def test_signed_file_is_still_what_the_archival_standard_asks(signed: bytes) -> None:
    assert faults(signed) == []


@pytest.mark.skipif(shutil.which("pdfsig") is None, reason="poppler-utils is not installed here")
def test_signature_is_valid_for_poppler(signed: bytes, tmp_path: Path) -> None:
    path = tmp_path / "signed.pdf"
    path.write_bytes(signed)
    said = subprocess.run(["pdfsig", "-nocert", str(path)], capture_output=True, text=True, check=False).stdout
    assert "Signature is Valid" in said
    assert "Total document signed" in said


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_one_flipped_byte_is_found(signed: bytes, key: SigningKey, share: float) -> None:
    start, length, *_ = (int(each) for each in _status(signed, key)[0].byte_range)
    place = start + int(length * share)
    broken = bytearray(signed)
    broken[place] ^= 1
    try:
        intact = _status(bytes(broken), key)[1].intact
    except Exception:  # noqa: BLE001 - a reader may also refuse the file as a whole
        intact = False
    assert not intact


def test_demo_key_is_made_once_names_itself_and_is_its_owners_alone(tmp_path: Path) -> None:
    path = demo_p12(tmp_path)
    first = path.read_bytes()
    assert demo_p12(tmp_path).read_bytes() == first
    key = read_key(path, DEMO_PASSWORD)
    assert key.name == "DEMO signer, Breakglass Portal"
    assert "DEMO" in key.root.subject.rfc4514_string()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_without_a_key_production_signs_nothing_rather_than_with_a_demo_key(settings: Any) -> None:
    settings.PORTAL_PRODUCTION, settings.PORTAL_SIGNING_P12 = True, ""
    assert signing_key() is None


def test_operators_key_is_taken(settings: Any, tmp_path: Path) -> None:
    settings.PORTAL_SIGNING_P12 = str(demo_p12(tmp_path))
    settings.PORTAL_SIGNING_PASSWORD = DEMO_PASSWORD.decode()
    found = signing_key()
    assert found is not None
    assert found.fingerprint == read_key(demo_p12(tmp_path), DEMO_PASSWORD).fingerprint


def test_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    secret = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "RSA")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(secret.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(secret, hashes.SHA256())
    )
    path = tmp_path / "rsa.p12"
    path.write_bytes(
        pkcs12.serialize_key_and_certificates(
            b"x", secret, certificate, None, serialization.BestAvailableEncryption(b"x")
        )
    )
    with pytest.raises(CannotSign, match="P-256"):
        read_key(path, b"x")
    with pytest.raises(CannotSign, match="cannot be read"):
        read_key(path, b"wrong")
