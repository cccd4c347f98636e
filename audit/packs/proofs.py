"""The proofs that are attached to evidence: for every entry that it rests on, one C2SP tlog-proof that carries the entry.

A stranger checks them with the log's public key alone (docs/auditor/without-us.md).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from django.db import connection

from audit.log.proofs import proof_texts
from audit.packs.evidence import Evidence
from audit.packs.position import Position
from audit.packs.render import Attachment

NAME = "log-proofs.txt"
ABOUT = "Proofs that the entries are in the log, each with its entry (C2SP tlog-proof)"
MOST_NAMED = 20  # entries without a proof that are named one by one
OF_CASES = """
SELECT s.index FROM audit_event e JOIN audit_sealed_entry s ON s.event_id = e.id WHERE s.index < %s AND e."case" = ANY(%s)
"""


@dataclass(frozen=True)
class Proven:
    """The attached file, how many entries it proves, and which it cannot.

    ``lacking``: their bytes or a tile do not verify. ``elsewhere``, ``outside``: left out, ``unknown``: not understood, see
    ``audit.facts.fold.resting``.
    """

    file: Attachment
    proved: int
    lacking: tuple[int, ...] = ()
    elsewhere: int = 0
    outside: int = 0
    unknown: tuple[int, ...] = ()

    @property
    def total(self) -> int:
        """All entries that the evidence rests on."""
        return self.proved + len(self.lacking) + self.elsewhere + self.outside

    @property
    def named(self) -> tuple[int, ...]:
        """The first of those that cannot be proved."""
        return self.lacking[:MOST_NAMED]

    @property
    def strange(self) -> tuple[int, ...]:
        """The first of those that nobody understood."""
        return self.unknown[:MOST_NAMED]


def of_pack(evidence: Evidence, folder: Path) -> Proven:
    """Of all that its facts, its printed cases and its names rest on; written into the folder."""
    path, rests, position = folder / NAME, evidence.rests, evidence.position
    cases = set(_of_cases(position.size, [case.id for case in evidence.cases]))
    wanted = cases.union(
        rests.on, evidence.known.said_of(evidence.scope.systems), evidence.carried.pack.said if evidence.carried else ()
    )
    done: set[int] = set()
    with path.open("wb") as file:
        for index, text in proof_texts(wanted, position.checkpoint()):
            file.write(text)
            done.add(index)
    attached = Attachment(NAME, path, "text/plain", ABOUT, "Source")
    return Proven(attached, len(done), tuple(sorted(wanted - done)), rests.elsewhere, rests.outside, rests.unknown)


def of_entries(indexes: Iterable[int | None], position: Position) -> Proven:
    """Of these entries."""
    wanted = {index for index in indexes if index is not None}
    texts = dict(proof_texts(wanted, position.checkpoint()))
    attached = Attachment(NAME, b"".join(texts.values()), "text/plain", ABOUT, "Source")
    return Proven(attached, len(texts), tuple(sorted(wanted - texts.keys())))


def _of_cases(size: int, cases: list[str]) -> Iterator[int]:
    with connection.cursor() as cursor:
        cursor.execute(OF_CASES, [size, cases])
        yield from (index for (index,) in cursor.fetchall())
