"""When each process last said that it is alive. For operators; never evidence."""

from typing import Any

from django.utils import timezone

from audit.log.models import Heartbeat


def beat(process: str, detail: dict[str, Any] | None = None, *, using: str = "default") -> None:
    """Say that the process is alive now, with what an operator may want to know of it (plain JSON values)."""
    row = Heartbeat(process=process, at=timezone.now(), detail=detail or {})
    Heartbeat.objects.using(using).bulk_create(
        [row], update_conflicts=True, unique_fields=["process"], update_fields=["at", "detail"]
    )


def all_beats() -> list[Heartbeat]:
    """The last heartbeat of each process, by its name."""
    return [_read(row) for row in Heartbeat.objects.order_by("process")]


def last_beat(process: str) -> Heartbeat | None:
    """The last heartbeat of one process."""
    row = Heartbeat.objects.filter(process=process).first()
    return _read(row) if row is not None else None


def _read(row: Heartbeat) -> Heartbeat:
    """Every process may write every row: what is no map says nothing."""
    row.detail = row.detail if isinstance(row.detail, dict) else {}
    return row
