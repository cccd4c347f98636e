"""What a check of the whole stored log found, in words and for machines."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from audit.log.ranges import RangeResult

MOST_NAMED = 20


@dataclass
class Report:
    """What was found. Personal values that were erased or did not come back, and events that wait, are counted; they are no fault."""

    entries: int = 0
    checkpoints: int = 0
    whole_from: int = 0  # the index before which entries were cut; those of them that stay are checked one by one
    stayed: int = 0  # entries before it that stay
    wrong_notes: list[int] = field(default_factory=list)  # sizes of checkpoints before it that do not verify
    bad_ranges: list[RangeResult] = field(default_factory=list)  # the first 20
    bad_range_count: int = 0
    wrong_tiles: list[str] = field(default_factory=list)
    wrong_columns: list[int] = field(default_factory=list)  # indexes
    personal_held: int = 0
    personal_erased: int = 0  # as entries say
    personal_lost: int = 0  # of entries that came back from what is published, without them
    personal_missing: list[str] = field(default_factory=list)  # the first 20 of which no entry says why they are gone
    personal_missing_count: int = 0
    personal_wrong: list[str] = field(default_factory=list)
    times_ahead: int = 0  # entries that were signed, cosigned or stamped before the time that they say
    time_ahead: int | None = None  # the index of the first
    times_back: int = (
        0  # entries that say a time before that of an entry that stands before them, as those do that waited
    )
    time_back: int | None = None  # the index of the first
    waiting: int = 0
    waiting_since: int | None = None
    astray: int = 0  # neither sealed nor in the queue
    wrong_cosignatures: list[str] = field(default_factory=list)
    cosignatures_unlisted: int = 0  # of witnesses that the settings do not list, which were not checked
    witnessed: list[str] = field(default_factory=list)  # what a witness has cosigned last, and is stored
    beyond: list[str] = field(default_factory=list)  # what a witness has cosigned last, and is not stored
    unshown: list[str] = field(default_factory=list)  # witnesses that show nothing of this log
    unseen: list[str] = field(default_factory=list)  # witnesses that could not be looked at, which is no damage
    timestamps: int = 0  # that verify
    timestamps_unverified: int = 0  # for which no certificates are set
    wrong_timestamps: list[str] = field(default_factory=list)
    published: int | None = None  # entries; nothing where no published log was looked at
    published_damages: list[str] = field(default_factory=list)
    unreachable: str = ""  # why the published log could not be looked at, which is no damage

    @property
    def ok(self) -> bool:
        """Whether nothing is at fault."""
        return not self.sentences()

    def notes(self) -> list[str]:
        """What is no fault of the log, and for somebody to look at."""
        return list(_times(self))

    def sentences(self) -> list[str]:
        """Each fault in words, without any personal value."""
        return list(_faults(self))


def _times(report: Report) -> Iterator[str]:
    if ahead := report.times_ahead:
        yield (
            f"{_many(ahead, 'entry says', 'entries say')} a time over five minutes after being signed, cosigned or timestamped, first entry "
            f"{report.time_ahead}: a clock or a named time was wrong. That is no damage."
        )
    if back := report.times_back:
        yield (
            f"{_many(back, 'entry says', 'entries say')} a time over five minutes before that of an earlier entry, first entry "
            f"{report.time_back}: such an entry waited to be sealed, or a clock or a named time was wrong. That is no damage."
        )


def _faults(report: Report) -> Iterator[str]:
    for found in report.bad_ranges:
        yield f"{found.about()}: {' '.join(found.why)}"
    if more := report.bad_range_count - len(report.bad_ranges):
        yield f"{_many(more, 'more range does', 'more ranges do')} not verify."
    if wrong := report.wrong_notes:
        yield f"{_many(len(wrong), 'checkpoint of what was cut does', 'checkpoints of what was cut do')} not verify, first that of {wrong[0]} entries."
    yield from _tile_faults(report)
    if wrong := report.wrong_columns:
        yield f"The columns of {_many(len(wrong), 'entry', 'entries')} do not repeat their bytes, first {wrong[0]}."
    yield from _personal_faults(report)
    if report.astray:
        yield f"{_many(report.astray, 'event is', 'events are')} neither sealed nor waiting to be."
    if lines := report.wrong_cosignatures:
        yield f"{_many(len(lines), 'cosignature does', 'cosignatures do')} not verify, first {lines[0]}."
    yield from report.beyond
    if stamps := report.wrong_timestamps:
        yield f"{_many(len(stamps), 'timestamp does', 'timestamps do')} not verify, first {stamps[0]}."
    yield from _published_faults(report)


def _tile_faults(report: Report) -> Iterator[str]:
    """A tile that does not fit is no damage of its own where an entry beneath it was changed: that is said first."""
    if not (tiles := report.wrong_tiles):
        return
    follows = any(not found.hashes_ok for found in report.bad_ranges)
    hint = (
        " That follows where entries beneath it are not those that were sealed; the tile itself may be whole."
        if follows
        else ""
    )
    yield f"{_many(len(tiles), 'tile is', 'tiles are')} not {'that' if len(tiles) == 1 else 'those'} of the entries, first {tiles[0]}.{hint}"


def _personal_faults(report: Report) -> Iterator[str]:
    if wrong := report.personal_wrong:
        yield f"{_many(len(wrong), 'personal value does', 'personal values do')} not match, first {wrong[0]}."
    if count := report.personal_missing_count:
        yield f"{_many(count, 'personal value is', 'personal values are')} gone and no entry says why, first that of {report.personal_missing[0]}."


def _many(count: int, one: str, more: str) -> str:
    return f"1 {one}" if count == 1 else f"{count} {more}"


def _published_faults(report: Report) -> Iterator[str]:
    yield from (f"Published: {sentence}" for sentence in report.published_damages[:MOST_NAMED])
    if len(report.published_damages) > MOST_NAMED:
        yield f"Published: {_many(len(report.published_damages) - MOST_NAMED, 'more damage', 'more damages')}."


def as_json(report: Report) -> str:
    """The report for machines."""
    named = vars(report) | {"ok": report.ok, "bad_ranges": [vars(result) for result in report.bad_ranges]}
    return json.dumps(named, indent=1)
