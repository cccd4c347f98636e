"""States of an attestation and of its lines, and the only moves between them."""

from portal.moves import by_name, move

OPEN, CLOSED = "open", "closed"
STATES = {OPEN: "Open", CLOSED: "Closed with its statement"}
FINAL = frozenset({CLOSED})
MOVES = by_name((move("close", {OPEN}, CLOSED, event="campaign.closed"),))

UNDECIDED, KEPT, MODIFIED, REVOKED = "undecided", "kept", "modified", "revoked"
ITEM_STATES = {UNDECIDED: "To be decided", KEPT: "Kept", MODIFIED: "Narrowed", REVOKED: "Revoked"}
ITEM_MOVES = by_name(
    (
        move("keep", {UNDECIDED}, KEPT, event="campaign.item_decided"),
        move("modify", {UNDECIDED}, MODIFIED, event="campaign.item_decided"),
        move("revoke", {UNDECIDED}, REVOKED, event="campaign.item_decided"),
        move("transfer", {UNDECIDED}, UNDECIDED, event="campaign.item_decided"),
        move("reassign", {UNDECIDED}, UNDECIDED, event="campaign.item_reassigned"),
    )
)
