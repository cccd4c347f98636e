"""A timestamp authority (RFC 3161) that is not ours: ``openssl ts -reply`` behind a small server, under a root made here."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

CONFIG = """
[req]
distinguished_name = name
[name]
[root]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[signer]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[tsa]
serial = serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha256
"""


@dataclass
class Authority:
    """Where its files lie, and what may be changed about it while it serves."""

    folder: Path
    address: str = ""
    answers: bool = True  # else it is out of reach
    asked: int = 0  # and answered
    knocks: int = 0  # requests, answered or not

    @property
    def root(self) -> Path:
        """The certificate to trust."""
        return self.folder / "root.pem"

    def reply(self, query: bytes) -> bytes:
        """What openssl answers."""
        self.asked += 1
        (self.folder / "query").write_bytes(query)
        said = ["ts", "-reply", "-config", "config", "-section", "tsa", "-queryfile", "query", "-signer", "signer.pem"]
        self.openssl(*said, "-inkey", "signer.key", "-out", "answer")
        return (self.folder / "answer").read_bytes()

    def openssl(self, *words: str) -> None:
        """Run it in the folder."""
        subprocess.run(["openssl", *words], cwd=self.folder, check=True, capture_output=True)


def authority_in(folder: Path) -> Authority:
    """A root, and a signer of timestamps under it."""
    made = Authority(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config").write_text(CONFIG)
    (folder / "serial").write_text("01\n")
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-config", "config", "-days", "30")
    made.openssl(
        "req",
        "-x509",
        *key,
        "-subj",
        "/CN=Root of times",
        "-extensions",
        "root",
        "-keyout",
        "root.key",
        "-out",
        "root.pem",
    )
    by_root = ("-CA", "root.pem", "-CAkey", "root.key", "-extensions", "signer")
    made.openssl(
        "req", "-x509", *key, "-subj", "/CN=Authority of times", *by_root, "-keyout", "signer.key", "-out", "signer.pem"
    )
    return made


@contextmanager
def serving(authority: Authority) -> Iterator[Authority]:
    """The authority behind an address of this machine."""

    class Desk(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = self.rfile.read(int(self.headers["Content-Length"]))
            authority.knocks += 1
            if not authority.answers or self.headers["Content-Type"] != "application/timestamp-query":
                self.send_error(503)
                return
            reply = authority.reply(asked)
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Desk) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        authority.address = f"http://127.0.0.1:{server.server_address[1]}/"
        yield authority
        server.shutdown()
