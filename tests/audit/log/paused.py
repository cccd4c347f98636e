"""A publisher of a history that was lost, paused between two of its puts, while another one publishes what the log went on with."""

from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from audit.log.publishing import publish_once
from audit.log.stores import HEAD, Overtaken, PassingStore
from audit.log.stores.directory import DirectoryStore
from audit.log.verify.check import Wanted, check
from tests.audit.log.logged import doctored, run_signer, sealed
from tests.audit.log.test_recovery import set_back

PUBLISHED, GONE_ON, LOST = 3, 5, 300
PUTS = 5  # of the lost history: two tiles and their bundles of level 0, one of level 1


def publish(store: PassingStore) -> bytes:
    head = publish_once(connection, store, [run_signer().verifier()])
    assert head is not None
    return head.data


def resources(folder: Path) -> dict[str, bytes]:
    """All that is published there but the head."""
    found = (
        each for each in folder.rglob("*") if each.is_file() and not each.name.startswith(".") and each.name != HEAD
    )
    return {str(each.relative_to(folder)): each.read_bytes() for each in found}


def woken_after(puts: int, store: PassingStore, scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Publish the lost history, paused after so many of its puts: it puts no more once it is woken, and what the other published is whole."""
    sealed(PUBLISHED)
    other = DirectoryStore(scratch)
    before = publish(other)
    assert publish(store) == before
    sealed(GONE_ON - PUBLISHED)
    after = publish(other)
    set_back(PUBLISHED)
    doctored("DELETE FROM audit_tile WHERE level > 0 OR index > 0")
    doctored("UPDATE audit_tile SET hashes = substr(hashes, 1, %s)", PUBLISHED * 32)
    sealed(LOST - PUBLISHED)
    at, done = "work", {"work": 0, "pause": 0, "woken": 0}
    put, put_one = type(store).put, type(store)._put_one  # type: ignore[attr-defined]  # both stores have it

    def take_over() -> None:
        nonlocal at
        at = "pause"
        put(store, resources(scratch))
        store.move_head(before, after)
        at = "woken"

    def watched(self: Any, *one: Any) -> None:
        put_one(self, *one)
        done[at] += 1
        if at == "work" and done[at] == puts:
            take_over()

    def begun(self: Any, *arguments: Any) -> None:
        if puts == 0 and at == "work":
            take_over()
        put(self, *arguments)

    monkeypatch.setattr(type(store), "_put_one", watched)
    monkeypatch.setattr(type(store), "put", begun)
    with pytest.raises(Overtaken):
        publish(store)
    assert (done["work"], done["woken"], store.read(HEAD)) == (puts, 0, after)
    verdict, _ = check(store, Wanted([run_signer().verifier()]))
    assert (verdict.damages, verdict.size) == ([], GONE_ON)
