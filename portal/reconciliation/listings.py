"""Asks each target who could act as a privilege, by itself and on demand. What the portal knows of it goes into the log."""

import hashlib
import json
import logging
from collections.abc import Sequence
from datetime import timedelta

from django.db import connection

from audit.log.append import Actor, Entry, Refused, action, append, append_many, process
from audit.log.heartbeats import beat
from portal.clock import ms, now
from portal.connectors import base as plain
from portal.connectors import for_kind
from portal.connectors.base import Connector, ConnectorError
from portal.grants.models import Grant
from portal.grants.states import MAY_BE_LIVE
from portal.grants.targets import closing_of
from portal.locks import alone
from portal.reconciliation import register
from portal.reconciliation.models import Listing
from portal.reconciliation.side_by_side import each_of
from portal.reconciliation.sources import in_scope, last_tries
from portal.systems.models import System
from portal.systems.targets import target

KIND = "listing"
DUE_HOURS = 24  # the catalogue's listing_hours
EVERY = timedelta(hours=20)  # so that each of the catalogue's slots has one, although tries drift
RETRY = timedelta(minutes=10)
LISTINGS = process("listings")
logger = logging.getLogger("breakglass.listings")


class NotListed(Refused):
    """The target was not asked: its kind cannot tell, or it did not answer. The sentence says which."""

    code = "not_listed"


def take_due() -> int:
    """Take the listings that are due; returns how many were taken."""
    return sum(bool(taken) for taken in each_of(_take_if_due, [each for each in in_scope() if _lists(each)]))


def take(*, by: Actor, system: System, campaign_id: object = None) -> Listing:
    """Ask the target now. Not inside a transaction: the target is called.

    Raises:
        NotListed: it could not be asked.
    """
    if connection.in_atomic_block:
        raise RuntimeError("A target is never called inside a transaction.")
    privileges = list(system.privileges.values_list("on_target", flat=True))
    if not _lists(system):
        raise NotListed(f"Targets of the kind {system.connector} cannot say who is able to act.", about=system)
    try:
        answer = _connector(system).list_access(target(system), privileges)
        seen = register.look(system)
    except ConnectorError as error:
        raise NotListed(error.sentence, about=system) from error
    return record(by=by, system=system, answer=answer, campaign_id=campaign_id, seen=seen)


@action(event=("target.listed", "target.login_listed", "sealed.account_listed"))
def record(
    *, by: Actor, system: System, answer: plain.Listing, campaign_id: object = None, seen: Sequence[register.Seen] = ()
) -> Listing:
    """Keep an answer of the target, with one event for it and one for each login in it; sealed accounts are held against their register."""
    rows = [vars(each) for each in answer.logins]
    row = Listing.objects.create(system=system, taken_at=now(), answer=rows, answer_sha256=answer.sha256)
    append(
        "target.listed", by=by, subject=system.log_subject, listing_id=row.pk, system_id=system.pk, taken_at=answer.at_ms,
        query_sha256=_sha256(answer.query), answer_sha256=answer.sha256, count=len(rows), campaign_id=campaign_id,
        logins=json.dumps(sorted({each.login for each in answer.logins})),
    )  # fmt: skip
    sealed = {each.account.account for each in seen}
    append_many(_logins(by, system, row, answer, sealed))
    append_many(register.entries(by, row, system, seen, answer))
    return row


def _logins(by: Actor, system: System, row: Listing, answer: plain.Listing, sealed: set[str]) -> list[Entry]:
    """A sealed account is listed by itself. A login is known where a grant of ours that may be live carries exactly its name and mark."""
    privileges = {on_target: str(pk) for pk, on_target in system.privileges.values_list("pk", "on_target")}
    grants = _grants(system, answer)
    entries = []
    for each in (login for login in answer.logins if login.login not in sealed):
        grant = grants.get((each.login, each.comment))
        known = grant is not None and grant.state in MAY_BE_LIVE and grant.privilege.on_target == each.privilege
        fields = {
            "listing_id": row.pk, "system_id": system.pk, "privilege_id": privileges.get(each.privilege),
            "login_ref": each.ref, "login": each.login, "grant_id": grant.pk if grant else None,
            "person_id": grant.person_id if grant else None, "seen_in_log": known, "request_count": int(known),
        }  # fmt: skip
        entries.append(Entry("target.login_listed", by, fields, subject=system.log_subject))
    return entries


def _grants(system: System, answer: plain.Listing) -> dict[tuple[str, str], Grant]:
    numbers = [int(each.login[3:]) for each in answer.logins if each.login[:3] == "bg_" and each.login[3:].isdecimal()]
    rows = Grant.objects.filter(system=system, number__in=numbers).select_related("privilege")
    return {(closing_of(grant).login, closing_of(grant).comment): grant for grant in rows}


def _take_if_due(system: System) -> bool:
    with alone(f"{KIND}:{system.pk}") as held:
        last = Listing.objects.filter(system=system).order_by("-taken_at").values_list("taken_at", flat=True).first()
        if not held or (last is not None and now() - last < EVERY):
            return False
        tried = last_tries(KIND).get(str(system.pk))
        if tried is not None and tried.trouble and now() - tried.at < RETRY:
            return False
        try:
            take(by=LISTINGS, system=system)
        except NotListed as refusal:
            if not (tried and tried.trouble):  # once for each stretch of trouble
                due_from = last + timedelta(hours=DUE_HOURS) if last else system.in_scope_from
                record_failure(by=LISTINGS, system=system, sentence=refusal.sentence, due_from=ms(due_from))
            beat(f"{KIND}:{system.pk}", {"trouble": refusal.sentence})
            logger.warning("no listing of %s: %s", system.slug, refusal.sentence)
            return False
        beat(f"{KIND}:{system.pk}", {"trouble": ""})
        return True


@action(event="target.listing_failed")
def record_failure(*, by: Actor, system: System, sentence: str, due_from: int) -> None:
    """Say that a listing that was due was not taken."""
    append(
        "target.listing_failed",
        by=by,
        subject=system.log_subject,
        system_id=system.pk,
        sentence=sentence,
        due_from=due_from,
    )


def _lists(system: System) -> bool:
    try:
        return _connector(system).lists_access
    except ConnectorError:
        return False


def _connector(system: System) -> Connector:
    return for_kind(system.connector)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
