"""Who was to be told, when it left, and who has seen it."""

from dataclasses import replace
from typing import Any

from audit.cases.asked import Alert
from audit.cases.fold.state import Folding, Handler
from audit.log.read import LoggedEvent


def _alert(to: Folding, event: LoggedEvent) -> None:
    given = event.fields
    known = to.alerts.get(given["alert_id"]) or Alert(
        given["alert_id"], given["recipient_id"], given.get("channel", ""), given.get("kind", "")
    )
    changes: dict[str, dict[str, Any]] = {
        "alert.queued": {"queued_at": event.at},
        "alert.sent": {
            "sent_at": known.sent_at or given.get("sent_at"), "delivered_at": known.delivered_at or given.get("delivered_at"),
        },
        "alert.failed": {"failures": known.failures + 1},
        "alert.seen": {"looked_at": known.looked_at or event.at},
        "alert.acknowledged": {"seen_at": known.seen_at or event.at, "seen_over": known.seen_over or given.get("over", "")},
    }  # fmt: skip
    to.alerts[known.id] = replace(known, **changes[event.name])


HANDLERS: dict[str, Handler] = {
    **dict.fromkeys(("alert.queued", "alert.sent", "alert.failed", "alert.seen", "alert.acknowledged"), _alert),
}
