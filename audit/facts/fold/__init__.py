"""The fold: events of the log into one row per fact, at one position of the log, from canonical fields only.

Nothing here reads a live table, a clock or a personal value, so the same entries give the same rows for ever.
"""

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from audit.events import catalogue
from audit.facts.fold import (
    anchors,
    computed,
    eligibility,
    evidence,
    grants,
    judging,
    kept,
    people,
    policy,
    requests,
    resting,
    schedule,
    scope,
    sealed,
    slots,
    sources,
    systems,
)
from audit.facts.fold.entry import Entry, LogEntry, entry_of
from audit.facts.fold.keeping import Kept
from audit.facts.fold.state import Facts
from audit.facts.given import Period
from audit.facts.parameters import Parameter
from audit.facts.schema import insert_rows, load_schema
from audit.log import ranges as stored_ranges
from audit.log.errors import ParseError
from audit.log.shape import read_entry

FAMILIES = (anchors, people, systems, eligibility, policy, requests, grants, sealed, judging, sources, evidence, kept)
HANDLERS = {name: handle for family in FAMILIES for name, handle in family.HANDLERS.items()}
# Events that say nothing which a control test reads; a test holds this list and the handlers against the catalogue.
NO_FACT = frozenset(
    {
        "signin.opened",
        "signin.refused",
        "signin.refused_often",
        "request.refused_often",
        "signin.strengthened",
        "signin.ended",
        "factor.enrolled",
        "factor.renamed",
        "factor.reset_proposed",
        "factor.reset_approved",
        "factor.reset_declined",
        "factor.reset_cancelled",
        "factor.reset_finished",
        "factor.reset_lapsed",
        "factor.reset_on_host",
        "factor.removed",
        "recovery.made",
        "password.given",
        "password.changed",
        "person.placed",
        "personnel.read",
        "personnel.second_asked",
        "personnel.discarded",
        "privilege.added",
        "request.questioned",
        "request.answered",
        "offline.cards_prepared",
        "offline.custodian_missing",
        "offline.change_begun",
        "offline.cards_made",
        "offline.card_printed",
        "offline.card_held",
        "offline.handed_out",
        "offline.not_printed",
        "offline.drill_due",
        "offline.drill_begun",
        "offline.drilled",
        "offline.used",
        "offline.sessions_bound",
        "offline.use_confirmed",
        "offline.replaced",
        "sealed.declined",
        "sealed.shut",
        "sealed.custodian_missing",
        "sealed.rotation_owed",
        "sealed.rotation_begun",
        "source.heartbeat_sent",
        "connector.tested",
        "target.listing_failed",
        "configuration.changed",
        "system.change_declined",
        "role.declined",
        "person.contract_ended",
        "eligibility.declined",
        "policy.declined",
        "request.seen",
        "request.passed_on",
        "drill.started",
        "drill.act_refused",
        "grant.opening",
        "grant.opening_failed",
        "grant.extension_asked",
        "grant.extension_declined",
        "grant.extension_applied",
        "grant.closing",
        "grant.close_failed",
        "finding.retest_asked",
        "finding.retested",
        "review.claimed",
        "review.handed_over",
        "review.given_next",
        "review.delegation_set",
        "review.delegation_ended",
        "review.second_claimed",
        "review.second_handed_over",
        "review.second_given_next",
        "review.saved",
        "campaign.evidence_opened",
        "duty.missed",
        "source.epoch_started",
        "source.heartbeat_seen",
        "source.loss_found",
        "source.settings_changed",
        "source.error_seen",
        "source.recovered",
        "session.refused",
        "alert.failed",
        "alert.seen",
        "channel.failed",
        "receiver.added",
        "receiver.changed",
        "receiver.secret_replaced",
        "receiver.tried",
        "receiver.retired",
        "list.downloaded",
        "search.saved",
        "search.removed",
        "page.viewed",
        "pack.made",
        "pack.failed",
        "pack.put_off",
        "pack.removed",
        "dossier.removed",
        "dossier.made",
        "dossier.failed",
        "hold.lift_asked",
        "hold.kept",
        "hold.act_refused",
        "erasure.asked",
        "erasure.declined",
        "erasure.confirmed",
        "erasure.done",
        "erasure.act_refused",
        "cut.proposed",
        "cut.approved",
        "cut.declined",
        "cut.portion_removed",
        "cut.act_refused",
        "reconciliation.compared",
        "backup.made",
        "backup.failed",
        "backup.late",
        "log.checked",
        "log.late",
        "log.on_time",
        "pack.timestamped",
        "log.damage_found",
        "log.refused",
        "log.recovered",
        "log.values_restored",
        "log.loss_reported",
        "log.loss_declined",
        "log.range_lost",
        "log.loss_act_refused",
        "stop.started",
        "stop.lift_asked",
        "stop.lift_declined",
        "stop.lifted",
        "stop.act_refused",
        "rota.made",
        "rota.changed",
        "rota.retired",
        "rota.swap_offered",
        "rota.swap_taken",
        "rota.swap_declined",
        "rota.swap_withdrawn",
        "rota.away_said",
        "rota.away_ended",
        "rota.act_refused",
    }
)
# Tables that nothing in the log fills yet: a test that reads one of them is not decided, whatever its rows. Of `downloads` the log
# knows who and when; links that end and redaction for the reader are not built, so nothing can show them.
UNFED = frozenset(
    {"clock_hours", "pack_populations", "downloads"}
)  # fmt: skip


class CannotFold(ValueError):
    """An entry that was read lacks what the fold needs of it; the sentence says which and what."""


@dataclass(frozen=True)
class Folded:
    """What was folded: how many entries, the time of the last one, rows that rest on what cannot be relied on, and what all rows rest on."""

    entries: int
    last_at: int | None
    unreadable: frozenset[tuple[str, str]]
    rests: resting.Rests


def readable(entries: Iterable[stored_ranges.Entry]) -> Iterator[Entry]:
    """Stored entries as the fold reads them; bytes that are no entry are left out, and their range does not verify."""
    for stored in entries:
        try:
            yield entry_of(read_entry(stored.body), stored.index)
        except ParseError:
            continue


def fold(
    db: sqlite3.Connection,
    entries: Iterable[LogEntry],
    *,
    period: Period,
    parameters: Mapping[str, Parameter],
    ranges: Sequence[stored_ranges.RangeResult] = (),
    only: Collection[str] | None = None,
) -> Folded:
    """Fold entries, in the order of the log, into the tables of facts of an empty database.

    One of a name that is not known here is of a later version, or was put in by hand. It is named, and the rows of its case are as those that
    rest on damage: who may insert one could otherwise end every pack.

    ``ranges`` are the results of ``audit.log.ranges`` for the same entries: they become the facts ``log_ranges`` and
    ``checkpoints``, and rows that rest on a range which does not verify are listed as unreadable. ``only`` names systems,
    and leaves out the rows of all others.

    Raises:
        CannotFold: an entry that was not read by `readable` lacks a field.
    """
    facts, count, last_at = Facts(kept=Kept(horizon=period.end_at)), 0, None
    damaged, unknown = _damaged(ranges), list[int]()
    for entry in entries:
        known = entry.name in catalogue
        facts.begin(entry, damaged=not known or entry.index in damaged)
        if not known and entry.index is not None:
            unknown.append(entry.index)
        kept.seen(facts, entry)
        fold_entry(facts, entry)
        count, last_at = count + 1, entry.at
    facts.end()
    compute(facts, period, parameters)
    gone = scope.only_systems(facts, only) if only is not None else {}
    rests = replace(resting.rests(facts.resting, facts.rows, period, only=only, gone=gone), unknown=tuple(unknown))
    _log(facts, ranges)
    kept.records(facts, damaged, checked=bool(ranges))
    for table in load_schema().tables:
        write(db, table, facts)
    return Folded(count, last_at, frozenset(facts.unreadable), rests)


def fold_entry(facts: Facts, entry: LogEntry) -> None:
    """Fold one entry; one that gives no fact is left out."""
    handle = HANDLERS.get(entry.name)
    if handle is None:
        return
    before = facts.resting.count()
    try:
        handle(facts, entry)
    except KeyError as missing:
        raise CannotFold(f"Entry {entry.index}, {entry.name}, lacks the field {missing}.") from missing
    if facts.resting.count() == before:
        facts.resting.note(resting.ASIDE)


def compute(facts: Facts, period: Period, parameters: Mapping[str, Parameter]) -> None:
    """Facts that follow from others; the order matters: ends first, then what is counted from them."""
    known = dict(parameters)
    computed.grants_over(facts)
    computed.removals(facts)
    computed.roles_for_all_systems(facts)
    computed.role_pairs(facts)
    computed.downloads(facts)
    computed.eligibility_use(facts, period, known)
    computed.returned_access(facts)
    computed.campaign_sittings(facts)
    kept.personal_values(facts, period)
    slots.listed_grants(facts)
    schedule.duties(facts, period, known)
    slots.feeds(facts, period, known)
    slots.windows_nobody_judged(facts, period)
    slots.anchor_slots(facts, period, known)
    slots.guard_checks(facts, period, known)


def write(db: sqlite3.Connection, table: str, facts: Facts) -> None:
    """Write the rows of one table, in the order of their keys."""
    key = load_schema().tables[table].key
    insert_rows(db, table, ({key: name, **row} for name, row in sorted(facts.each(table))))


def _damaged(ranges: Iterable[stored_ranges.RangeResult]) -> frozenset[int]:
    return frozenset(index for each in ranges if not each.ok for index in range(each.from_index, each.to_index + 1))


def _log(facts: Facts, ranges: Sequence[stored_ranges.RangeResult]) -> None:
    """The log's own ranges and checkpoints. Those for which an outside party vouches are rows of their own, from its entries."""
    names = ("from_index", "to_index", "from_at", "to_at")
    held = ("dense", "hashes_ok", "root_ok", "signature_ok", "consistent")
    for number, each in enumerate(ranges):
        key = f"{number:09d}"
        row = {name: getattr(each, name) for name in names} | {name: int(getattr(each, name)) for name in held}
        facts.rows["log_ranges"][key] = row
        facts.rows["checkpoints"][key] = {"size": each.to_index + 1, "signed_at": each.to_at}


def undeclared() -> set[str]:
    """Names that the fold handles or leaves out and that no event has; and events that it forgot."""
    return (HANDLERS.keys() | NO_FACT) ^ catalogue.keys()
