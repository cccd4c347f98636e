"""What is kept and for how long: the entries themselves, bundle by bundle, the reviews among them, and what is personal in them. Of packs the log
says which files went (``pack.removed``), and of none that it is there still; and T-33 knows no basis but the retention's end, so one that had to go
with an erasure would pass for lost. They are no rows; each can be made again from the entries.
"""

from collections.abc import Collection

from audit.events.retention import DAY_MS, ENTRIES, class_of, floors
from audit.facts.fold.entry import LogEntry
from audit.facts.fold.keeping import Hold, Values
from audit.facts.fold.resting import VALUES
from audit.facts.fold.state import Facts
from audit.facts.given import Period

WIDTH = 256  # entries of a bundle
REVIEWED = "review.submitted"


def seen(facts: Facts, entry: LogEntry) -> None:
    """Note an entry, whatever its name."""
    kept = facts.kept
    if entry.index is not None:
        kept.bundles[entry.index // WIDTH] = entry.at
        if entry.name == REVIEWED:
            kept.reviews[entry.fields["review_id"]] = entry.index
    if not entry.commitments:
        return
    kind = class_of(entry.name)
    if kind.days is not None and entry.at + kind.days * DAY_MS <= kept.horizon:
        people = frozenset({entry.by, str(entry.fields.get("person_id", ""))})
        kept.values[str(entry.id)] = Values(entry.at, kind.key, people, entry.case, set(entry.commitments))
        facts.resting.note((VALUES, str(entry.id)))


def terms_set(facts: Facts, entry: LogEntry) -> None:
    """Terms from now on; each is as long as its duty at least."""
    facts.kept.terms = floors() | {key: days for key, days in entry.fields["terms"].items() if isinstance(days, int)}


def erased(facts: Facts, entry: LogEntry) -> None:
    """One value is gone; when the last of an entry goes, all of it is."""
    facts.resting.note((VALUES, entry.fields["event_id"]))
    values = facts.kept.values.get(entry.fields["event_id"])
    if values is not None:
        values.held.discard(entry.fields["field"])
        if not values.held:
            values.erased_at = entry.at


def expired(facts: Facts, entry: LogEntry) -> None:
    """All that is personal in these entries is gone."""
    for event in entry.fields["event_ids"]:
        facts.resting.note((VALUES, event))
        if event in facts.kept.values:
            facts.kept.values[event].erased_at = entry.at


def hold_set(facts: Facts, entry: LogEntry) -> None:
    """Nothing of it goes from now on."""
    thing = entry.fields.get("person_id") or entry.fields.get("case_id", "")
    facts.kept.holds[entry.fields["hold_id"]] = Hold(thing, entry.at)


def hold_lifted(facts: Facts, entry: LogEntry) -> None:
    """It may go again."""
    if entry.fields["hold_id"] in facts.kept.holds:
        facts.kept.holds[entry.fields["hold_id"]].to_at = entry.at


def cut(facts: Facts, entry: LogEntry) -> None:
    """Old entries are gone; they had been written by ``to_at`` and were promised until ``keep_until``.

    What was personal in them is kept as long as they are: it is due from when the log says that they go.
    """
    facts.kept.minimum = max(facts.kept.minimum, entry.fields["minimum_index"])
    facts.put(
        "kept_records", f"cut:{entry.fields['cut_id']}", kind="entries", created_at=entry.fields["to_at"], keep_until=entry.fields["keep_until"],
        present=0, deleted_at=entry.at, deletion_basis="retention", legal_hold=0,
    )  # fmt: skip
    facts.put("personal_values", f"cut:{entry.fields['cut_id']}", keep_until=entry.at, legal_hold=0)


def cut_done(facts: Facts, entry: LogEntry) -> None:
    """What was personal in old entries is gone with them."""
    key = f"cut:{entry.fields['cut_id']}"
    values = facts.rows[VALUES].get(key)
    if values is not None:
        facts.resting.note((VALUES, key))
        values.setdefault("erased_at", entry.at)


def personal_values(facts: Facts, period: Period) -> None:
    """One row for each entry whose personal values' time came by the end of the period, and before that of the entry."""
    kept = facts.kept
    for event, each in kept.values.items():
        until = each.at + kept.terms[each.kind] * DAY_MS
        if until < period.end_at and kept.terms[each.kind] < kept.terms[ENTRIES]:  # others go with their entries
            about = each.people | {each.case}
            held = any(
                hold.thing in about and (hold.to_at is None or hold.to_at >= until) for hold in kept.holds.values()
            )
            facts.rows["personal_values"][event] = {
                "keep_until": until,
                "erased_at": each.erased_at,
                "legal_hold": int(held),
            }


def records(facts: Facts, damaged: Collection[int], checked: bool) -> None:
    """One row for each bundle and each submitted review that there is. Their hashes were checked, or nobody can say."""
    for key, review in facts.each("reviews"):
        if review.get("submitted_at") is not None and key in facts.kept.reviews:
            sound = facts.kept.reviews[key] not in damaged
            _present(facts, f"review:{key}", "review", review["submitted_at"], sound if checked else None)
    wrong = {index // WIDTH for index in damaged}
    for number, at in facts.kept.bundles.items():
        if number * WIDTH >= facts.kept.minimum:
            sound = number not in wrong
            _present(facts, f"entries:{number * WIDTH:012d}", "entries", at, sound if checked else None)


def _present(facts: Facts, key: str, kind: str, at: int, sound: bool | None) -> None:
    facts.rows["kept_records"][key] = {
        "kind": kind, "created_at": at, "keep_until": at + facts.kept.terms[ENTRIES] * DAY_MS, "present": 1,
        "hash_ok": None if sound is None else int(sound), "legal_hold": 0,
    }  # fmt: skip


HANDLERS = {
    "retention.set": terms_set,
    "personal_value.erased": erased,
    "personal_values.expired": expired,
    "hold.set": hold_set,
    "hold.lifted": hold_lifted,
    "log.cut": cut,
    "cut.done": cut_done,
}
