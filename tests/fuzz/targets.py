"""What reads what others can write, each as a function over any bytes: it gives a value that is written as it was read, or its own one error.

Anything else that it raises is a find. `python -m tests.fuzz` looks for them; what was found is kept in `cases/` and run by `make test`.
Which parser is reached by which of them: `parsers.py`.
"""

from audit.log import tiles
from audit.log.backup.manifest import parse_contents, write_contents
from audit.log.canonical import encode, parse_entry
from audit.log.checkpoint import parse_checkpoint, parse_size
from audit.log.cosignature import parse_cosigner_key
from audit.log.errors import ParseError
from audit.log.note import parse_note, parse_verifier_key, write_note
from audit.log.proof import parse_proof, write_proof
from audit.log.signing import parse_signer_key
from audit.log.tile_paths import parse_path
from audit.log.timestamps.tokens import parse_roots
from tests.fuzz import of_answers, of_log, of_portal, of_sources
from tests.fuzz.kinds import Target, read_or_refused, text_written_again, written_again

TARGETS: dict[str, Target] = {
    "note": written_again(lambda data: write_note(parse_note(data))),
    "checkpoint": written_again(lambda data: write_note(parse_checkpoint(data).note)),
    "cosignatures": written_again(of_log.lines_again),
    "proof": written_again(lambda data: write_proof(parse_proof(data))),
    "proofs": written_again(of_log.proofs_again),
    "entry": written_again(lambda data: encode(parse_entry(data))),
    "acted_on": of_log.acted_on,
    "event": of_log.event,
    "request": written_again(of_log.request_again),
    "witness_desk": of_log.witness_desk,
    "tile": written_again(of_log.tile_again),
    "tile_path": text_written_again(lambda text: tiles.path(parse_path(text))),
    "log_key": of_log.log_key,
    "verifier_key": text_written_again(lambda text: parse_verifier_key(text).text()),
    "signer_key": text_written_again(lambda text: parse_signer_key(text).text()),
    "cosigner_key": text_written_again(lambda text: parse_cosigner_key(text).text()),
    "size": text_written_again(lambda text: str(parse_size(text))),
    "bundle": of_log.bundle,
    "witnesses": of_log.witnesses,
    "memory": of_log.memory,
    "backup_contents": written_again(lambda data: write_contents(parse_contents(data))),
    "backup_manifest": of_log.backup_manifest,
    "backup_file": of_log.backup_file,
    "age_keys": of_log.age_keys,
    "timestamp": of_answers.timestamp,
    "timestamp_roots": read_or_refused(parse_roots, ParseError),
    "witness_answer": of_answers.witness_answer,
    "key_service_answer": of_answers.key_service_answer,
    "webhook_answer": of_answers.webhook_answer,
    "postgresql_line": of_sources.postgresql_line,
    "postgresql_log": of_sources.postgresql_log,
    "simulated_log": of_sources.simulated_log,
    "catalogue": of_sources.catalogue,
    "personnel": of_portal.personnel,
    "card": of_portal.card,
    "card_line": of_portal.card_line,
    "question": of_portal.question,
    "webhook_url": of_portal.webhook_url,
}
