"""Takes in the sealed log entry by entry, each once, so that alerts can be queued for it.

The position moves in the transaction of the outbox rows, so nothing is queued twice, whoever runs this and wherever it stops.
"""

from collections.abc import Callable, Iterable

from django.db import transaction

from audit.log.read import LoggedEvent, follow, size
from portal.reconciliation.models import IntakePosition


def take_new(reader: str, names: Iterable[str], take: Callable[[LoggedEvent], int], batch: int) -> int:
    """Give every entry of these names that is sealed and new to this reader to ``take``; the sum of what it returns."""
    wanted, total = tuple(names), 0
    while True:
        done, more = _one_batch(reader, wanted, take, batch)
        total += done
        if not more:
            return total


def _one_batch(reader: str, names: tuple[str, ...], take: Callable[[LoggedEvent], int], batch: int) -> tuple[int, bool]:
    IntakePosition.objects.get_or_create(reader=reader)
    with transaction.atomic():
        position = IntakePosition.objects.select_for_update(skip_locked=True).filter(reader=reader).first()
        if position is None:  # another process is at it
            return 0, False
        sealed = size()  # read first: whatever the next line misses lies behind it
        entries = follow(position.next_index, names, batch)
        done = sum(take(entry) for entry in entries)
        full = len(entries) == batch
        behind = (entries[-1].index or 0) + 1 if entries else 0  # beyond the size, where one was sealed in between
        position.next_index = behind if full else max(position.next_index, sealed, behind)
        position.save(update_fields=["next_index"])
    return done, full
