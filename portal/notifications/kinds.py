"""Every kind of alert and the facts that it may carry. The words stand in ``templates/emails/<kind>.txt``.

Facts are written as fields of events are: ``name``, ``name:kind``; ``?`` at the end where it may be missing. Kinds:
``text`` (the default), ``int``, ``time`` (an aware datetime, or milliseconds since 1970 UTC), ``bool`` and ``list`` (of
texts). A fact that is not in this table is refused, so nothing gets into a mail by accident; none is ever a secret.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from audit.events.spec import Field, fields
from portal.clock import ms
from portal.notifications.inert import one_line

USE = "person system privilege"  # who, where, what
GONE = "gone"
"""A fact of every kind: names of people who were to be told as well, and have left."""
CUT = "cut"
"""The only fact that is left where what it told of was cut from the log: the sentence that says so."""
ASKED = f"{USE} minutes:int reason? category? criterion? incident? ends_about:time?"


class UnknownKind(LookupError):
    """No kind of alert has that name."""


class WrongFacts(ValueError):
    """An alert was given facts that its kind does not declare, or lacks one that it needs."""


@dataclass(frozen=True)
class Kind:
    """One kind of alert: what a page calls it, to whom it usually goes, and its facts."""

    title: str
    to: str
    facts: tuple[Field, ...]
    topic: str = "other"

    def take(self, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """The facts as they are kept: integers, inert texts and lists of texts; ``None`` and empty text mean not given.

        Raises:
            WrongFacts: a fact is not declared, or one that is needed is missing.
        """
        declared = {each.name: each for each in self.facts}
        known = {key: value for key, value in given.items() if value is not None and value != ""}
        strange = sorted(set(known) - set(declared))
        missing = sorted(each.name for each in self.facts if not each.optional and each.name not in known)
        if strange or missing:
            raise WrongFacts(f"{name}: not declared: {strange}; missing: {missing}")
        return {key: _kept(declared[key].kind, value) for key, value in known.items()}


def _kept(kind: str, value: Any) -> Any:
    if kind == "time":
        return ms(value) if isinstance(value, datetime) else int(value)
    if kind in ("int", "bool"):
        return int(value)
    if kind == "list":
        return [one_line(str(each)) for each in value]
    return one_line(str(value))


def _kinds(*rows: tuple[str, str, str, str]) -> dict[str, Kind]:
    return {
        name: Kind(title, to, fields(f"{declared} {GONE}:list?"), topic_of(name)) for name, title, to, declared in rows
    }


# What a receiver of webhooks may choose.
TOPICS = {
    "call": "Calls: a request, a bypass, more time asked, an emergency stop",
    "use": "Uses: opened, ending, ended, answered",
    "failure": "What failed: openings, ends, gaps, orphan sessions, channels",
    "duty": "Reviews, attestations and findings that are due or overdue",
    "account": "Sign-ins, recovery codes, people who moved, and where alerts go",
}
_TOPIC_OF = {
    "request.asked": "call", "request.bypass_opened": "call", "request.bypass_weak": "call", "extension.asked": "call",
    "grant.close_failed": "failure", "grant.opening_failed": "failure", "finding.raised": "failure", "system.problem": "failure",
    "finding.due": "duty", "dossier.ready": "use", "sealed.release_wanted": "call", "sealed.rotation_owed": "duty",
    "request.refused_often": "failure",
    "channel.failed": "failure", "sealed.lent_while_known": "call", "sealed.known_at_stop": "call", "offline.use_declared": "call",
}  # fmt: skip
_TOPIC_OF_FAMILY = {
    "request": "use", "grant": "use", "extension": "use", "review": "duty", "campaign": "duty", "drill": "duty", "signin": "account",
    "receiver": "account", "person": "account", "stop": "call", "sealed": "duty", "offline": "duty", "rota": "duty", "duty": "duty", "outage": "failure",
}  # fmt: skip


def topic_of(name: str) -> str:
    """The topic of a kind: its own, or that of its family."""
    return _TOPIC_OF.get(name) or _TOPIC_OF_FAMILY[name.partition(".")[0]]


KINDS = _kinds(
    ("request.asked", "Approval asked", "each approver",
     f"{ASKED} lapses_at:time? approvals_needed:int? mode?"),
    ("request.bypass_opened", "Bypass", "skipped approvers, owner, security list",
     f"{ASKED} owed:list? review_due_at:time?"),
    ("request.bypass_weak", "Bypass with a weak factor", "responder, approvers, owner, administrators, security list", f"{USE} factor at:time"),
    ("request.approved", "Approved", "responder", f"{USE} by? comment? minutes:int? approvals_needed:int?"),
    ("request.questioned", "Question", "responder", f"{USE} by question"),
    ("request.answered", "Answer", "who asked", f"{USE} question answer"),
    ("request.declined", "Declined", "responder", f"{USE} by? comment?"),
    ("request.lapsed", "Lapsed", "responder, approvers", f"{USE} asked_at:time? may_bypass:bool?"),
    ("request.withdrawn", "Withdrawn", "approvers, responder", f"{USE} comment?"),
    ("grant.opened", "Opened", "owner, approvers, responder",
     f"{USE} expires_at:time minutes:int? mode? reason? login?"),
    ("grant.ending_soon", "Ending soon", "responder", f"{USE} expires_at:time"),
    ("grant.ended", "Ended", "responder, owner", f"{USE} cause ended_at:time confirmed_at:time? by? reason?"),
    ("grant.close_failed", "Closing failed", "owner, security list, administrators",
     f"{USE} live_until:time? attempt:int? sentence? ended_at:time? remainders:list? again_at:time?"),
    ("grant.opening_failed", "Opening failed", "responder, owner", f"{USE} sentence? attempt:int? again:bool? by? reason?"),
    ("extension.asked", "More time asked", "approvers", f"{USE} minutes:int reason? expires_at:time? would_end:time?"),
    ("extension.extended", "More time given", "responder, owner", f"{USE} minutes:int expires_at:time by?"),
    ("extension.taken", "Bypass extended", "approvers, owner, security list", f"{USE} minutes:int expires_at:time reason?"),
    ("extension.declined", "More time declined", "responder", f"{USE} expires_at:time? by? comment?"),
    ("sealed.release_wanted", "Second person wanted", "approvers and owner of the system, custodian", f"{USE} expires_at:time?"),
    ("offline.cards_made", "Cards to be printed", "both custodians; owner of the system, where no card opens the account until then",
     "account system number:int older:int?"),
    ("offline.taken_over", "New cards open the account", "both custodians, owner of the system", "account system number:int"),
    ("offline.custodian_missing", "No new cards: custodian missing", "custodian who is left, owner of the system", "account system people:list"),
    ("offline.not_printed", "Cards still to be printed", "both custodians, owner of the system", "account system number:int older:int?"),
    ("offline.drill_due", "Drill of the cards due", "both custodians, owner of the system", "account system number:int due_at:time"),
    ("offline.use_declared", "Offline cards used", "custodians, owner, administrators, security list",
     "account system person from_at:time to_at:time custodian:bool? confirmed:bool?"),
    ("sealed.rotation_owed", "New secret owed", "custodian of the account", "account system due_at:time cause?"),
    ("sealed.custodian_missing", "Another custodian wanted", "owner of the system", "account system people:list"),
    ("sealed.lent_while_known", "Lent while its secret is known", "custodian of the account, owner, security list", "account system person custodian"),
    ("sealed.known_at_stop", "Emergency stop: secret still works", "custodian of the account, owner, security list", "account system due_at:time cause?"),
    ("rota.changed", "Rota", "members of the rota, those before too", "rota system by handover order:list"),
    ("rota.retired", "Rota out of use", "members of the rota", "rota system by"),
    ("rota.swap_offered", "Swap of weeks offered", "the member whose week is wanted", "rota system by week other_week"),
    ("rota.swap_answered", "Swap of weeks answered", "who offered it", "rota system by week other_week taken:bool?"),
    ("rota.away", "Away from a rota", "other members of the rota", "rota system person from_at:time to_at:time"),
    ("review.due", "Review due", "pool of reviewers", f"{USE} due_at:time mode? second:bool?"),
    ("review.reminder", "Review: reminder", "pool, or who claimed it", f"{USE} due_at:time mode? second:bool?"),
    ("review.overdue", "Review overdue", "pool, owner", f"{USE} due_at:time mode? second:bool?"),
    ("review.given_next", "Overdue review given on", "who gets it, who had it, owner", f"{USE} due_at:time to before?"),
    ("review.stand_in", "Standing in for a reviewer", "who stands in", "person system? from_at:time to_at:time"),
    ("review.stand_in_over", "Nobody stands in any longer", "the other one of the two", "person to stopped_by system? to_at:time"),
    ("finding.raised", "Finding", "owner of the system, owner of the finding",
     "title system? details? due_at:time? person? test?"),
    ("finding.due", "Finding due", "owner of the finding", "title due_at:time system?"),
    ("campaign.item_due", "Attestation due", "who is to attest", "system due_at:time list? lines:int?"),
    ("campaign.item_reminder", "Attestation: reminder", "who is to attest", "system due_at:time list? lines:int?"),
    ("campaign.nobody_reminder", "Attestation: nobody may decide", "who has to find somebody", "sentence system due_at:time list? lines:int?"),
    ("drill.due", "Drill due", "owner of the system", "system due_at:time last_at:time?"),
    ("duty.overdue", "Overdue", "who owes it, owner of the system", "what system due_at:time"),
    ("duty.reminder", "Overdue: reminder", "who owes it", "what system was_due_at:time"),
    ("dossier.ready", "Dossier", "responder, reviewer, owner", f"{USE} verdict? occasion? sentence?"),
    ("signin.refused_often", "Sign-ins refused", "the person, administrators, security list", "person times:int first_at:time last_at:time"),
    ("request.refused_often", "Openings refused", "the person, owner", "person system times:int first_at:time last_at:time"),
    ("signin.recovery_used", "Recovery code used", "the person", "at:time address? agent? left:int?"),
    ("signin.passkey_changed", "Passkey added or removed", "the person", "name at:time added:bool until:time?"),
    ("signin.first_passkey", "First passkey of somebody", "administrators", "person at:time until:time"),
    ("signin.factor_reset", "Reset of a second factor", "the person, administrators, security list; everybody after one on the host",
     "person what by at:time reason? until:time?"),
    ("signin.reset", "One-time password made", "the person, all other administrators", "person by at:time hours:int enrolled:bool"),
    ("channel.failed", "Channel takes nothing", "administrators, security list, receivers", "channel waiting:int oldest_at:time trouble?"),
    ("receiver.changed", "Receiver of alerts", "all other administrators, security list", "name host what by at:time topics:list"),
    ("receiver.trial", "Trial", "the receiver", "name by at:time"),
    ("stop.started", "Emergency stop", "responders, approvers, owners, administrators, security list", "system by reason started_at:time"),
    ("stop.lift_asked", "Emergency stop: lifting asked", "owners and administrators, security list", "system by reason started_at:time"),
    ("stop.lift_declined", "Emergency stop stays", "owners and administrators, security list", "system by reason? started_at:time"),
    ("stop.lifted", "Emergency stop lifted", "responders, approvers, owners, administrators, security list", "system by reason started_at:time"),
    ("person.moved", "Moved to other work", "the person, owners of the systems", "person before unit lists:int ends_at:time"),
    ("person.contract_ended", "Contract over", "who answered for them; administrators too, where that one has left", "person ended_at:time"),
    ("outage.over", "Outage over", "administrators, security list", "what since:time at:time"),
    ("system.problem", "Problem", "owner, administrators, security list", "title sentence system? at:time?"),
)  # fmt: skip


def kind_of(name: str) -> Kind:
    """The kind of that name. Raises UnknownKind."""
    if name not in KINDS:
        raise UnknownKind(name)
    return KINDS[name]
