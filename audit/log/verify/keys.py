"""The public keys that a command is given: on its line, or in files with one in each line."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path

from audit.log.checkpoint import parse_log_key
from audit.log.cosignature import CosignerKey, parse_cosigner_key
from audit.log.errors import ParseError
from audit.log.note import VerifierKey


def ask(parser: ArgumentParser) -> None:
    """Let the command take keys of the log, and of witnesses."""
    words = "a public key of the log; KEY@FROM-TO or KEY@FROM- where it is valid for checkpoints of these sizes alone; may be given again"
    parser.add_argument("--key", action="append", default=[], help=words)
    words = "a file with such keys, one in each line; may be given again"
    parser.add_argument("--key-file", action="append", default=[], type=Path, metavar="FILE", help=words)
    words = "the public key of a witness who must have cosigned; may be given again"
    parser.add_argument("--witness", action="append", default=[], metavar="KEY", help=words)


def of_log(given: Namespace) -> list[VerifierKey]:
    """The log's keys.

    Raises:
        ParseError: There is none, or one of them is malformed; for a file, in which line.
        OSError: A file cannot be read.
    """
    found = [parse_log_key(word) for text in given.key for word in text.split()]
    found += [key for path in given.key_file for key in _in(path)]
    if not found:
        raise ParseError("It needs a public key of the log: --key KEY, or --key-file FILE.")
    return found


def of_witnesses(given: Namespace) -> list[CosignerKey]:
    """The keys of the witnesses who must have cosigned.

    Raises:
        ParseError: One of them is malformed.
    """
    return [parse_cosigner_key(text) for text in given.witness]


def _in(path: Path) -> Iterator[VerifierKey]:
    for number, line in enumerate(path.read_bytes().decode("utf-8-sig", "replace").splitlines(), 1):
        try:
            yield from (parse_log_key(word) for word in line.split())
        except ParseError as error:
            raise ParseError(f"{path}, line {number}: {error}") from error
