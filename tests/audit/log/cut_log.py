"""A log with old entries, the decisions of two before a cut, and what carries it out."""

import contextlib
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from audit.events.retention import DAY_MS
from audit.log import sealing
from audit.log.append import Actor, Entry, append_many, clock
from audit.log.checking import StoreSource
from audit.log.cuts import minimum_index
from audit.log.cutting import Removed, cut_published
from audit.log.cutting_rows import cut_portion, need_old, stayed
from audit.log.databases import as_role
from audit.log.examination import examine
from audit.log.publishing import publish_once
from audit.log.read import size
from audit.log.report import Report
from audit.log.retained import span
from audit.log.stores.directory import DirectoryStore
from audit.log.verify.__main__ import main
from tests.audit.log.logged import TEST, run_signer, sealed
from tests.servers import role_url

OLD = int(time.time() * 1000) - 3000 * DAY_MS
DELETE_ONE = (
    "DELETE FROM public.audit_event WHERE id IN (SELECT event_id FROM public.audit_sealed_entry WHERE index = 5)"
)
TILES_READ = 4  # those before the minimum in one; of the tree each of the lowest level, which is checked as a whole
CASE, LATER, GOES_ON = str(uuid.uuid4()), str(uuid.uuid4()), str(uuid.uuid4())


def view(case: str = "") -> Entry:
    return Entry("page.viewed", TEST, {"person_id": "p", "page": "the case", "quarter": 0}, case=case)


def written(*entries: Entry) -> None:
    with transaction.atomic():
        append_many(entries)
    sealed(0)


def old_log(at: int = OLD) -> None:
    """600 old entries, 300 of them with a personal value: two that stay, one of a case that goes on, one of a case that does not."""
    with clock(lambda: at):
        sealed(2)
        search = {"search_id": "s", "list": "cases", "name": "Ada's", "query": "q", "shared": False}
        written(view(CASE), view(GOES_ON), *[Entry("search.saved", TEST, dict(search)) for _ in range(296)])
        written(view(LATER), *[view() for _ in range(299)])
    written(view(GOES_ON), view())


ASKED, APPROVED = Actor("a"), Actor("b")


def decided(minimum: int = 512, *, by: Actor = APPROVED, **changes: Any) -> list[Entry]:
    """What two people said before a cut; ``changes`` to the approval."""
    said = {"cut_id": f"of {minimum}", "minimum_index": minimum}
    return [
        Entry("cut.proposed", ASKED, said | {"reason": "Its time has come."}),
        Entry("cut.approved", by, said | {"asked_by": "a", "approved_by": by.id} | changes),
    ]


def the_cut(minimum: int = 512, **changes: Any) -> Entry:
    begins = minimum_index()
    from_at, to_at = span(begins, minimum)
    said = {
        "cut_id": f"of {minimum}",
        "minimum_index": minimum,
        "from_index": begins,
        "from_at": from_at,
        "to_at": to_at,
        "keep_until": OLD,
    }
    return Entry(
        "log.cut", TEST, said | {"asked_by": "a", "approved_by": "b", "reason": "Its time has come."} | changes
    )


@contextlib.contextmanager
def unjudged() -> Iterator[None]:
    """A sealer that was taken over, or one of before: it seals any cut. Readers and the database's trigger look by themselves."""
    with pytest.MonkeyPatch.context() as unchecked:
        unchecked.setattr(sealing, "reason_against", lambda *_: "")
        unchecked.setattr(sealing, "READERS", {})
        yield


def say_cut(minimum: int = 512) -> None:
    written(*decided(minimum), the_cut(minimum))


def published(folder: Path) -> DirectoryStore:
    store = DirectoryStore(folder)
    publish_once(connection, store, [run_signer().verifier()])
    return store


def cut_in(store: DirectoryStore) -> int:
    return removed_from(store).count


def removed_from(store: DirectoryStore) -> Removed:
    with connection.cursor() as cursor:
        return cut_published(cursor, store, size())


def hold(*, case: str = "", person: str = "") -> Entry:
    about = {"case_id": case} if case else {"person_id": person}
    return Entry("hold.set", TEST, {"hold_id": "h", "reason": "A court case."} | about)


def lifted(by: str = "b") -> Entry:
    return Entry("hold.lifted", Actor(by), {"hold_id": "h", "asked_by": "a", "approved_by": by})


def cut_rows(role: str = "eraser", minimum: int = 512) -> tuple[int, int, int]:
    """All portions; how many entries and values went, and how many entries stay."""
    entries, values, start = 0, 0, 0
    with as_role(role, role_url(role, connection.settings_dict["NAME"])) as alias:
        need_old(alias, minimum)
        while True:
            with transaction.atomic(using=alias):
                gone = cut_portion(alias, minimum, start)
            entries, values = entries + gone.entries, values + gone.values
            if gone.after is None:
                return entries, values, stayed(minimum)
            start = gone.after


def report(folder: Path | None = None) -> Report:
    return examine([run_signer().verifier()], published=StoreSource(str(folder)) if folder else None)


def outsider(folder: Path, capsys: Any) -> tuple[int, str]:
    status = main([str(folder), "--key", (folder.parent / "key").read_text(), "--quiet"])
    return status, capsys.readouterr().out.splitlines()[-1]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    from audit.log.checkpoint import log_key_text

    (tmp_path / "key").write_text(log_key_text(run_signer().verifier()))
    return tmp_path / "log"
