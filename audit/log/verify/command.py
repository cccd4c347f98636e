"""The command: ``python -m audit.log.verify DIRECTORY-OR-ADDRESS --key KEY``; ``proof FILE`` and ``grown FILE`` for what is attached to evidence."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path

from audit.log.checkpoint import VerifiedCheckpoint, parse_checkpoint, verify_checkpoint
from audit.log.errors import NotVerified, ParseError
from audit.log.note import VerifierKey
from audit.log.verify import bar, keys, proofs
from audit.log.verify.check import Keep, Wanted, check
from audit.log.verify.progress import Memory, NotKept, NotOurs, keep, now_s, recall
from audit.log.verify.saying import as_json, sentences
from audit.log.verify.sources import SourceUnavailable, source_of
from audit.log.verify.walking import Left

WHOLE, DAMAGED, NOT_CHECKED = 0, 1, 2
PARTS = {"proof": proofs.proof, "grown": proofs.grown}


def main(arguments: Sequence[str] | None = None) -> int:
    """Check, say what was found. 0: whole up to the size that is named. 1: damaged. 2: it could not be checked."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words and words[0] in PARTS:  # a directory of that name is ./proof
        return PARTS[words[0]](words[1:])
    given = _parser().parse_args(words)
    try:
        verdict, _ = check(source_of(given.source), _wanted(given))
    except (SourceUnavailable, NotOurs, NotKept, ParseError, NotVerified, OSError) as error:
        print(f"The log could not be checked. {error}", file=sys.stderr)  # noqa: T201 - a command speaks
        return NOT_CHECKED
    print(as_json(verdict) if given.json else "\n".join(sentences(verdict)))  # noqa: T201 - a command speaks
    return WHOLE if verdict.whole else DAMAGED


def _parser() -> ArgumentParser:
    more = "verify proof --help and verify grown --help: the same for proofs that are attached to packs and dossiers"
    parser = ArgumentParser(prog="verify", description="Check a published log with its public key alone.", epilog=more)
    parser.add_argument("source", help="the directory of the log, or the address that serves it")
    keys.ask(parser)
    words = "a checkpoint kept from earlier that the log must contain; may be given again"
    parser.add_argument("--seen", action="append", default=[], type=Path, metavar="FILE", help=words)
    words = (
        "remember there the checkpoint that was believed, so that a shorter log or another history fails later; "
        "and how far this run came, so that the same command goes on with it if it breaks off. A run that came to its end is followed by a full one"
    )
    parser.add_argument("--memory", type=Path, metavar="FILE", help=words)
    parser.add_argument("--processes", type=int, default=1, help="how many share the work")
    parser.add_argument("--json", action="store_true", help="answer in JSON")
    parser.add_argument("--quiet", action="store_true", help="show no bar")
    return parser


def _wanted(given: Namespace) -> Wanted:
    trusted = keys.of_log(given)
    memory = recall(given.memory, trusted, now_s()) if given.memory else None
    return Wanted(
        keys=trusted,
        witnesses=keys.of_witnesses(given),
        seen=[_seen(path, trusted) for path in given.seen] + ([memory.seen] if memory else []),
        processes=given.processes,
        tell=bar.show if bar.wants_bar(quiet=given.quiet) else None,
        left=memory.left if memory else Left(),
        keep=_keeper(given.memory, memory) if given.memory else None,
    )


def _keeper(path: Path, memory: Memory | None) -> Keep:
    """Keeps what a later run needs; what is taken up of an earlier run is as old as that one."""
    begun = (memory.left.begun if memory and memory.left.end else 0) or now_s()
    return lambda seen, left: keep(path, seen, left, begun)


def _seen(path: Path, trusted: Sequence[VerifierKey]) -> VerifiedCheckpoint:
    return verify_checkpoint(parse_checkpoint(path.read_bytes()), trusted)
