"""Receivers of webhooks: where alerts go besides mail. Addresses and secrets are in no event; the host is personal, since it may name a place."""

from audit.events.spec import family

EVENTS = family(
    ("channel.failed", "A channel took no alert for minutes; it was told over another.", "channel recipient_id:id? waiting:int oldest_at:time code"),
    ("receiver.added", "A receiver of webhooks was added.", "receiver_id:id name* host* topics:list"),
    ("receiver.changed", "A receiver of webhooks was changed.", "receiver_id:id name* host* topics:list moved:bool"),
    ("receiver.secret_replaced", "A receiver was given a new secret; the old one signs beside it for a while.", "receiver_id:id name* old_until:time"),
    ("receiver.tried", "A trial alert was queued for a receiver.", "receiver_id:id name* alert_id:id"),
    ("receiver.retired", "A receiver of webhooks was retired; what waited for it was let go.", "receiver_id:id name* host* topics:list waiting:int"),
    ("receiver.act_refused", "An act on a receiver was refused.", "act code kind sentence"),
)  # fmt: skip
