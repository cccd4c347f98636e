"""The commands for what is attached to evidence: ``proof FILE`` and ``grown FILE``. A public key is all that they need beside it."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path

from audit.log import merkle
from audit.log.addresses import harmless
from audit.log.checkpoint import (
    SignedCheckpoint,
    VerifiedCheckpoint,
    parse_checkpoint,
    verify_checkpoint,
)
from audit.log.cosignature import CosignerKey, verify_cosignatures
from audit.log.errors import NotVerified, ParseError
from audit.log.note import VerifierKey, to_base64
from audit.log.proof import LogProof, VerifiedInclusion, parse_proofs, verify_carried, verify_proof
from audit.log.verify import keys
from audit.log.witness.requests import parse_request

PROVED, NOT_PROVED, NOT_CHECKED = 0, 1, 2


def proof(arguments: Sequence[str]) -> int:
    """Check proofs that carry their entries, or one beside its entry. 0: all of them hold. 1: one does not, or it is no proof. 2: it could not be checked."""
    parser = ArgumentParser(prog="verify proof", description="Check proofs of entries with the log's public key alone.")
    parser.add_argument(
        "file", type=Path, help="one C2SP tlog-proof or several, one after another, each with its entry"
    )
    words = "the bytes of the entry, for a proof that does not carry it"
    parser.add_argument("--entry", type=Path, metavar="FILE", help=words)
    keys.ask(parser)
    given = parser.parse_args(arguments)
    try:
        trusted, witnesses, data = _read(given)
        entry = given.entry.read_bytes() if given.entry else None
    except (ParseError, OSError) as error:
        return _say(f"It could not be checked. {error}", NOT_CHECKED)
    try:
        proofs = parse_proofs(data)
        if entry is None and (alone := _alone(proofs)):
            return _say(f"It could not be checked. {alone}", NOT_CHECKED)
        for each in proofs:
            found = verify_carried(each, trusted) if entry is None else verify_proof(each, entry, trusted)
            _witnessed(each.checkpoint, witnesses)
            print(_line(found))  # noqa: T201 - a command speaks
    except (ParseError, NotVerified) as error:
        return _say(f"NOT PROVED. {error}", NOT_PROVED)
    return _say("PROVED.", PROVED)


def grown(arguments: Sequence[str]) -> int:
    """Check that a later checkpoint contains an earlier one. The status is that of `proof`."""
    parser = ArgumentParser(prog="verify grown", description="Check that a log only grew, with its public key alone.")
    parser.add_argument(
        "file", type=Path, help="a consistency proof and the later checkpoint, as C2SP tlog-witness writes them"
    )
    parser.add_argument("--since", type=Path, required=True, metavar="FILE", help="the earlier checkpoint")
    keys.ask(parser)
    given = parser.parse_args(arguments)
    try:
        trusted, witnesses, data = _read(given)
        earlier = given.since.read_bytes()
    except (ParseError, OSError) as error:
        return _say(f"It could not be checked. {error}", NOT_CHECKED)
    try:
        before, after = verify_growth(data, earlier, trusted)
        _witnessed(after.signed, witnesses)
    except (ParseError, NotVerified) as error:
        return _say(f"NOT PROVED. {error}", NOT_PROVED)
    return _say(f"PROVED. {after.origin}: {after.size} entries begin with the {before.size} of before.", PROVED)


def verify_growth(
    data: bytes, earlier: bytes, trusted: Sequence[VerifierKey]
) -> tuple[VerifiedCheckpoint, VerifiedCheckpoint]:
    """Believe that the tree of a later checkpoint begins with that of an earlier one; both.

    Raises:
        ParseError: The bytes are no such proof, or no checkpoint.
        NotVerified: One of them is not signed, or the later is not grown from the earlier.
    """
    asked = parse_request(data)
    before, after = verify_checkpoint(parse_checkpoint(earlier), trusted), verify_checkpoint(asked.checkpoint, trusted)
    if (asked.old, before.origin) != (before.size, after.origin):
        raise NotVerified("The proof is about another checkpoint than the earlier one.")
    merkle.verify_consistency(merkle.ConsistencyProof(before.size, after.size, asked.path), before.root, after.root)
    return before, after


def _read(given: Namespace) -> tuple[list[VerifierKey], list[CosignerKey], bytes]:
    return keys.of_log(given), keys.of_witnesses(given), given.file.read_bytes()


def _alone(proofs: Sequence[LogProof]) -> str:
    """What is missing where a proof came without its entry: that says nothing against the log."""
    for each in proofs:
        if each.extra is None:
            return f"The proof of entry {each.index} does not carry its entry; give the bytes with --entry FILE."
    return ""


def _witnessed(checkpoint: SignedCheckpoint, witnesses: Sequence[CosignerKey]) -> None:
    """Raise NotVerified unless each of them has cosigned it."""
    signed = {each.by for each in verify_cosignatures(checkpoint.note, witnesses)}
    for each in witnesses:
        if each not in signed:
            raise NotVerified(f"{each.name} has not cosigned {checkpoint.checkpoint.size} entries.")


def _line(found: VerifiedInclusion) -> str:
    under = f"{found.checkpoint.origin}, {found.checkpoint.size} entries, root {to_base64(found.checkpoint.root)}"
    return f"entry {found.index} of {under}: {harmless(found.entry.decode())}"


def _say(sentence: str, status: int) -> int:
    print(sentence, file=sys.stderr if status else sys.stdout)
    return status
