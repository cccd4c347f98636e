"""What the fold notes of retention while it reads: bundles, personal values whose time comes, holds, terms."""

from dataclasses import dataclass, field

from audit.events.retention import floors


@dataclass
class Values:
    """What is personal in one entry, and which of it is held still."""

    at: int
    kind: str
    people: frozenset[str]
    case: str
    held: set[str]
    erased_at: int | None = None


@dataclass
class Hold:
    """A legal hold: on whom or what, from when to when."""

    thing: str
    from_at: int
    to_at: int | None = None


@dataclass
class Kept:
    """What was seen so far. ``horizon`` (ms): values whose time comes later are not looked at."""

    horizon: int = 0
    terms: dict[str, int] = field(default_factory=floors)
    minimum: int = 0
    bundles: dict[int, int] = field(default_factory=dict)  # number to the time of its last entry
    reviews: dict[str, int] = field(default_factory=dict)  # id to the index of the entry that submitted it
    values: dict[str, Values] = field(default_factory=dict)
    holds: dict[str, Hold] = field(default_factory=dict)
