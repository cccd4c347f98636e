"""Whom each personal field speaks of: what is erased with a person.

One line for each event: its fields, and the ways to the people behind them. ``by`` is who acts and so who typed it; a field's name is who
that field names; ``case`` is the responder of the event's case; nothing at all is said of nobody, such as the address of a machine.
A test walks over the catalogue, so no personal field can be declared without its place here.
"""

from collections.abc import Mapping

BY, CASE = "by", "case"
NAME_OF_ACTOR = "by_name"
"""The personal field that every event of a person has: their name as it was."""

ABOUT: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "portal.founded": {"host": ()},
    "person.added": {"name": ("person_id",), "email": ("person_id",)},
    "person.sponsored": {"reason": (BY, "person_id")},
    "person.moved": {"unit": ("person_id",), "before": ("person_id",)},
    "person.placed": {"unit": ("person_id",)},
    "personnel.read": {"query": (BY,)},
    "personnel.imported": {"query": ("asked_by", BY)},
    "signin.opened": {"address": ("person_id",), "agent": ("person_id",)},
    "signin.refused": {"email": ("person_id",), "address": ("person_id",)},
    "factor.enrolled": {"passkey": ("person_id",)},
    "factor.renamed": {"passkey": ("person_id",)},
    "factor.removed": {"passkey": ("person_id",)},
    "policy.confirmed": {"note": (BY,)},
    "factor.reset_proposed": {"reason": (BY, "person_id")},
    "factor.reset_on_host": {"host": (), "account": (BY,), "reason": (BY, "person_id")},
    "target.listed": {"logins": ()},
    "target.login_listed": {"login": ("person_id",)},
    "request.made": {"reason": ("responder_id",)},
    "request.supplemented": {"reason": (BY,)},
    "request.questioned": {"text": (BY, CASE)},
    "request.answered": {"text": (BY,)},
    "request.approved": {"comment": (BY, CASE)},
    "request.declined": {"comment": (BY, CASE)},
    "request.withdrawn": {"comment": (BY,)},
    "grant.failed": {"reason": (BY, CASE)},
    "grant.extension_asked": {"reason": (BY,)},
    "grant.extended": {"reason": (BY, "asked_by")},
    "grant.extension_declined": {"comment": (BY, CASE)},
    "grant.revoked": {"reason": (BY, CASE)},
    "grant.read_back": {"remainder_details": (CASE,), "drift_details": (CASE,)},
    "sealed.proposed": {"location": ()},
    "sealed.registered": {"location": ()},
    "sealed.account_listed": {"login": ()},
    "offline.reviewed": {"comments": (BY, "reviewer_id", "involved")},
    "review.handed_over": {"comment": (BY,)},
    "review.submitted": {"comments": (BY, "reviewer_id", CASE)},
    "review.second_handed_over": {"comment": (BY,)},
    "review.second_submitted": {"words": (BY, "reviewer_id", CASE)},
    "review.acts_accepted": {"note": (BY, CASE)},
    "privacy.decided": {"reason": (BY, CASE)},
    "privacy.notified": {"delay_reason": (BY,)},
    "campaign.started": {"second_says": ()},
    "campaign.item_listed": {"label": ("person_id",)},
    "campaign.item_decided": {"reason": (BY,)},
    "finding.raised": {"details": (BY,)},
    "finding.answered": {"cause": (BY,), "response": (BY,), "proof": (BY,)},
    "finding.due_moved": {"reason": (BY, "extended_by")},
    "finding.closed": {"comment": (BY,)},
    "session.started": {"login": (CASE,), "database": (CASE,), "remote": (CASE,)},
    "session.refused": {"login": (CASE,), "remote": (CASE,)},
    "session.unmatched": {"login": (CASE,), "database": (CASE,), "remote": (CASE,)},
    "activity.recorded": {"statement": ("person_id", CASE), "object": ("person_id", CASE), "raw_salt": ("person_id", CASE)},
    "activity.outcome_learned": {"raw_salt": (CASE,)},
    "list.downloaded": {"query": ("person_id",)},
    "search.saved": {"name": (BY,), "query": (BY,)},
    "pack.requested": {"purpose": (BY,)},
    "receiver.added": {"name": (BY,), "host": ()},
    "receiver.changed": {"name": (BY,), "host": ()},
    "receiver.secret_replaced": {"name": (BY,)},
    "receiver.tried": {"name": (BY,)},
    "receiver.retired": {"name": (BY,), "host": ()},
    "stop.started": {"reason": (BY,)},
    "stop.lift_asked": {"reason": (BY,)},
    "stop.lift_declined": {"reason": (BY,)},
    "hold.set": {"reason": (BY, "person_id")},
    "hold.lift_asked": {"reason": (BY, "person_id")},
    "erasure.asked": {"reason": (BY,)},
    "log.loss_reported": {"reason": (BY,)},
    "log.range_lost": {"reason": ("asked_by",)},
    "cut.proposed": {"reason": (BY,)},
    "log.cut": {"reason": ("asked_by",)},
}  # fmt: skip


def ways() -> list[tuple[str, str, str]]:
    """All places as triples of event, field and way; the actor's name has no event of its own."""
    placed = [(name, field, way) for name, fields in ABOUT.items() for field, found in fields.items() for way in found]
    return [("", NAME_OF_ACTOR, BY), *placed]
