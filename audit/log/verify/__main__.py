"""The command: ``python -m audit.log.verify DIRECTORY-OR-ADDRESS --key KEY``; ``proof FILE`` and ``grown FILE`` for what is attached to evidence."""

import json
import sys
import traceback
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from audit.log.checkpoint import VerifiedCheckpoint, parse_checkpoint, parse_log_key, verify_checkpoint
from audit.log.errors import NotVerified, ParseError
from audit.log.note import VerifierKey, to_base64
from audit.log.said import Cut
from audit.log.verify import proofs
from audit.log.verify.check import Wanted, check
from audit.log.verify.damage import Verdict
from audit.log.verify.progress import NotOurs, keep, recall
from audit.log.verify.sources import SourceUnavailable, source_of

WHOLE, DAMAGED, NOT_CHECKED = 0, 1, 2
MOST_NAMED = 50
BAR = 40
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PARTS = {"proof": proofs.proof, "grown": proofs.grown}


def main(arguments: Sequence[str] | None = None) -> int:
    """Check, say what was found. 0: whole up to the size that is named. 1: damaged. 2: it could not be checked."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words and words[0] in PARTS:  # a directory of that name is ./proof
        return PARTS[words[0]](words[1:])
    given = _parser().parse_args(words)
    try:
        keys = [parse_log_key(text) for text in given.key]
        source = source_of(given.source)
        memory = recall(given.memory, source, keys) if given.memory else None
        seen = [_seen(path, keys) for path in given.seen] + ([memory.seen] if memory else [])
        wanted = Wanted(keys, seen, given.processes, _bar if _wants_bar(given) else None)
        verdict, walked, head = check(source, wanted, memory.walked if memory else None)
        if given.memory and head is not None and verdict.whole:
            keep(given.memory, head, walked)
    except (SourceUnavailable, NotOurs, ParseError, NotVerified, OSError) as error:
        print(f"The log could not be checked. {error}", file=sys.stderr)  # noqa: T201 - a command speaks
        return NOT_CHECKED
    except Exception:  # noqa: BLE001 - a fault of ours is no damage of the log
        traceback.print_exc()
        return NOT_CHECKED
    print(_as_json(verdict) if given.json else "\n".join(sentences(verdict)))  # noqa: T201 - a command speaks
    return WHOLE if verdict.whole else DAMAGED


def _parser() -> ArgumentParser:
    more = "verify proof --help and verify grown --help: the same for proofs that are attached to packs and dossiers"
    parser = ArgumentParser(prog="verify", description="Check a published log with its public key alone.", epilog=more)
    parser.add_argument("source", help="the directory of the log, or the address that serves it")
    words = "a public key of the log; KEY@FROM-TO where it is valid for checkpoints of these sizes alone; may be given again"
    parser.add_argument("--key", action="append", required=True, help=words)
    words = "a checkpoint kept from earlier that the log must contain; may be given again"
    parser.add_argument("--seen", action="append", default=[], type=Path, metavar="FILE", help=words)
    words = "remember there how far the log was whole, go on from there, and never accept a shorter log"
    parser.add_argument("--memory", type=Path, metavar="FILE", help=words)
    parser.add_argument("--processes", type=int, default=1, help="how many share the work")
    parser.add_argument("--json", action="store_true", help="answer in JSON")
    parser.add_argument("--quiet", action="store_true", help="show no bar")
    return parser


def _seen(path: Path, keys: Sequence[VerifierKey]) -> VerifiedCheckpoint:
    return verify_checkpoint(parse_checkpoint(path.read_bytes()), keys)


def _wants_bar(given: Namespace) -> bool:
    return not given.quiet and sys.stderr.isatty()


def _bar(done: int, size: int) -> None:
    filled = BAR * done // size if size else BAR
    end = "\n" if done >= size else ""
    print(f"\r[{'#' * filled}{' ' * (BAR - filled)}] {done} of {size}", end=end, file=sys.stderr, flush=True)  # noqa: T201 - a command speaks


def sentences(verdict: Verdict) -> list[str]:
    """The verdict for people."""
    named = [each.sentence() for each in verdict.damages[:MOST_NAMED]]
    more = len(verdict.damages) - len(named)
    if more:
        named.append(f"{more} more damages.")
    about = f"{verdict.origin}: {verdict.size} entries, root {to_base64(verdict.root)}." if verdict.origin else ""
    since = (
        f" from entry {verdict.whole_from} on; those before it were removed by a signed cut"
        if verdict.whole_from
        else ""
    )
    answer = f"WHOLE{since}." if verdict.whole else f"NOT WHOLE: {len(verdict.damages)} damages."
    return [line for line in (*named, about, *map(_of_cut, verdict.cuts), answer) if line]


def _of_cut(cut: Cut) -> str:
    return (
        f"Entry {cut.place}, of {_time(cut.at)}, cut entries {cut.from_index} to {cut.minimum - 1}, of {_time(cut.from_at)} to {_time(cut.to_at)}: "
        f"asked for by {cut.asked_by!r}, approved by {cut.approved_by!r}."
    )


def _time(at: int) -> str:
    try:
        return f"{EPOCH + timedelta(milliseconds=at):%Y-%m-%d %H:%M} UTC"
    except OverflowError:
        return f"{at} ms"


def _as_json(verdict: Verdict) -> str:
    said = {
        "whole": verdict.whole, "origin": verdict.origin, "size": verdict.size, "root": to_base64(verdict.root),
        "whole_from": verdict.whole_from, "cuts": [vars(each) for each in verdict.cuts], "checked": verdict.checked,
        "damages": [
            {"kind": each.kind, "first": each.first, "last": each.last, "path": each.path, "why": each.why}
            for each in verdict.damages
        ],
    }  # fmt: skip
    return json.dumps(said, indent=1)


if __name__ == "__main__":
    sys.exit(main())
