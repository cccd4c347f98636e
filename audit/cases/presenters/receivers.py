"""Receivers of webhooks: where alerts go besides mail."""

from audit.cases.presenters.spec import Presenter, refused, say

PRESENTERS: dict[str, Presenter] = {
    "channel.failed": say("Alerts waited in vain: {channel}", "{recipient_id}", "{waiting} waited, the oldest since {oldest_at}: {code}.",
                          icon="alert-triangle", tone="attention"),
    "receiver.added": say("A receiver of alerts was added: {name}", "{host}.", "{topics}.", icon="bell", tone="accent"),
    "receiver.changed": say("A receiver of alerts was changed: {name}", "{host}; another address: {moved}.", "{topics}.", icon="settings"),
    "receiver.secret_replaced": say("A receiver was given a new secret: {name}", "The old one signs beside it until {old_until}.", icon="key"),
    "receiver.tried": say("A trial alert was queued for the receiver {name}", icon="external-link"),
    "receiver.retired": say("A receiver of alerts was retired: {name}", "{host}.", "{waiting} alerts that waited for it were let go.",
                            icon="trash", tone="attention"),
    "receiver.act_refused": refused("a receiver"),
}  # fmt: skip
