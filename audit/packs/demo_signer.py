"""The key that the demo and tests sign PDFs with: its own authority, made once, and called demo in both names."""

import os
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12

FILE = "demo-signer.p12"
DEMO_PASSWORD = b"demo"  # guards nothing: the file is readable by its owner alone
AUTHORITY, SIGNER = "DEMO authority, Breakglass Portal", "DEMO signer, Breakglass Portal"
YEARS_10 = timedelta(days=3650)


def demo_p12(folder: Path) -> Path:
    """The file with the demo's key; made by whoever comes first, never replaced."""
    path = folder / FILE
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        mine = folder / f"{FILE}.{secrets.token_hex(8)}"
        descriptor = os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(_made())
        try:
            os.link(mine, path)
        except FileExistsError:
            pass  # another process was faster; its key is the one
        finally:
            mine.unlink()
    return path


def _made() -> bytes:
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = _certificate(AUTHORITY, root_key.public_key(), AUTHORITY, root_key, authority=True)
    leaf = _certificate(SIGNER, key.public_key(), AUTHORITY, root_key, authority=False)
    return pkcs12.serialize_key_and_certificates(
        SIGNER.encode(), key, leaf, [root], serialization.BestAvailableEncryption(DEMO_PASSWORD)
    )


def _certificate(
    name: str, key: ec.EllipticCurvePublicKey, issuer: str, issuer_key: ec.EllipticCurvePrivateKey, *, authority: bool
) -> x509.Certificate:
    now = datetime.now(UTC)
    usage = dict.fromkeys(
        ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
         "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"), False,
    )  # fmt: skip
    usage |= (
        {"key_cert_sign": True, "crl_sign": True}
        if authority
        else {"digital_signature": True, "content_commitment": True}
    )
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(issuer))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + YEARS_10)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=0 if authority else None), critical=True)
        .add_extension(x509.KeyUsage(**usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        .sign(issuer_key, hashes.SHA256())
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])
