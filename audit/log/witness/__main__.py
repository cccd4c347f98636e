"""The command of a witness: ``python -m audit.log.witness --key FILE --state FOLDER --log KEY``. No Django, no settings."""

import logging
import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication

from audit.log.checkpoint import parse_log_key
from audit.log.errors import NotVerified, ParseError
from audit.log.keys import load_signer, write_signer
from audit.log.note import VerifierKey
from audit.log.witness.application import Witness
from audit.log.witness.state import held

SETTINGS = {"workers": 1, "threads": 4, "timeout": 30, "keepalive": 75, "control_socket_disable": True}


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """One process with a few threads; the state is locked for each log."""

    def __init__(self, witness: Witness, bind: str) -> None:
        """Keep what to serve, and where."""
        self.witness, self.bind = witness, bind
        super().__init__()

    def load_config(self) -> None:
        """Few settings, none from outside."""
        for name, value in SETTINGS.items():
            self.cfg.set(name, value)
        self.cfg.set("bind", self.bind)

    def load(self) -> Any:
        """The application."""
        return self.witness


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to stop; 2 where it cannot begin."""
    given = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        if given.new_key:
            print(write_signer(given.key, given.new_key).cosigner().text())  # noqa: T201 - a command speaks
            return 0
        signer = load_signer(given.key)
        logs = logs_of([parse_log_key(text) for text in given.log])
        if not logs:
            raise ParseError("It knows no log: name at least one by --log and its public key.")
        given.state.mkdir(parents=True, exist_ok=True)
    except (OSError, ParseError) as error:
        print(f"The witness cannot begin. {error}", file=sys.stderr)  # noqa: T201 - a command speaks
        return 2
    told = [f"Witness {signer.cosigner().text()}", *remembered(given.state, logs)]
    print("\n".join(told), flush=True)  # noqa: T201 - a command speaks
    Server(Witness(signer, logs, given.state), given.bind).run()
    return 0


def remembered(folder: Path, logs: dict[str, list[VerifierKey]]) -> Iterator[str]:
    """Where it keeps what it saw, and how far that goes: one that begins in a wrong folder has forgotten, and nothing else would say so."""
    yield f"What it has seen lies in {folder.resolve()}."
    for origin, keys in logs.items():
        try:
            with held(folder, origin, keys) as kept:
                latest = kept.latest()
        except (OSError, ParseError, NotVerified) as error:
            yield f"{origin}: what lies there cannot be read, so it refuses until somebody has looked. {error}"
            continue
        if latest is None:
            yield f"{origin}: nothing yet. Is it new to this log? If not, this is not its folder: stop it."
        else:
            yield f"{origin}: {latest.size} entries."


def logs_of(keys: Sequence[VerifierKey]) -> dict[str, list[VerifierKey]]:
    """The keys of each log; a key has the name of its log's origin."""
    logs: dict[str, list[VerifierKey]] = {}
    for key in keys:
        logs.setdefault(key.name, []).append(key)
    return logs


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="witness", description="Cosign the checkpoints of logs that only grow.")
    parser.add_argument("--key", type=Path, required=True, metavar="FILE", help="its secret key")
    parser.add_argument("--new-key", metavar="NAME", help="make the key file, print the public half, and end")
    parser.add_argument(
        "--state", type=Path, default=Path("witness-state"), metavar="FOLDER", help="what it has seen; keep it"
    )
    parser.add_argument(
        "--log",
        action="append",
        default=[],
        metavar="KEY",
        help="a public key of a log, KEY@FROM-TO where it signs these sizes alone; may be given again",
    )
    parser.add_argument("--bind", default="127.0.0.1:8090", metavar="HOST:PORT", help="where it listens")
    return parser


if __name__ == "__main__":
    sys.exit(main())
