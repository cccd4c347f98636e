"""Logs that were stored long ago still fold into the facts that they gave then."""

import json
from pathlib import Path

import pytest

from audit.facts.fold import HANDLERS, readable
from audit.log.ranges import Entry
from tests.audit.facts.everything import VECTORS, as_facts, everything
from tests.audit.facts.stream import judge

LOGS = sorted(VECTORS.glob("log-*.jsonl"))


def _entries(path: Path) -> list[Entry]:
    return [Entry(index, body) for index, body in enumerate(path.read_bytes().splitlines())]


@pytest.mark.parametrize("path", LOGS, ids=lambda path: path.stem)
def test_stored_log_folds_into_its_stored_facts(path: Path) -> None:
    stored = json.loads(path.with_name(path.name.replace("log-", "facts-")).with_suffix(".json").read_text())
    assert as_facts(judge(everything(), entries=_entries(path))) == stored


def test_stored_logs_hold_what_the_first_version_knew() -> None:
    names = {entry.name for path in LOGS for entry in readable(_entries(path))}
    assert len(names) > 60


def test_every_event_that_is_folded_is_in_the_log_that_the_next_vector_is_made_of() -> None:
    assert {body["name"] for body in everything().bodies} >= HANDLERS.keys()
