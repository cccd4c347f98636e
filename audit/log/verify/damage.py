"""What can be wrong with a published log, each with the entries that it touches."""

from dataclasses import dataclass, field
from enum import StrEnum

from audit.log.cosignature import Cosigned
from audit.log.said import Cut


class Kind(StrEnum):
    """The classes of damage, as machines name them."""

    NO_CHECKPOINT = "no checkpoint"
    CHECKPOINT_UNREADABLE = "checkpoint unreadable"
    CHECKPOINT_NOT_SIGNED = "checkpoint not signed"
    TOO_LARGE = "checkpoint beyond every size"
    NOT_COSIGNED = "not cosigned"
    SHORTER = "shorter than seen"
    FORKED = "another history"
    BUNDLE_MISSING = "entries missing"
    BUNDLE_UNREADABLE = "entries unreadable"
    ENTRIES_CHANGED = "entries changed"
    TILE_MISSING = "tile missing"
    TILE_CHANGED = "tile changed"
    CUT_FALSE = "cut contradicts itself"
    UNPROVEN = "unproven"


@dataclass(frozen=True, order=True)
class Damage:
    """One damage. ``first`` and ``last`` are indexes of entries, both included; -1 where it touches no entry by itself."""

    first: int
    last: int
    kind: Kind = field(compare=False)
    path: str
    why: str = field(compare=False)

    def sentence(self) -> str:
        """For people."""
        where = (
            ""
            if self.first < 0
            else f"entry {self.first}"
            if self.first == self.last
            else f"entries {self.first} to {self.last}"
        )
        return f"{self.kind}: {', '.join(part for part in (where, self.path) if part)}. {self.why}".replace(": .", ":")


@dataclass
class Verdict:
    """What was found. ``whole_from`` is 0, or the index before which entries were removed by a signed cut."""

    origin: str = ""
    size: int = 0
    root: bytes = b""
    whole_from: int = 0
    cuts: list[Cut] = field(default_factory=list)  # by which it was removed
    checked: int = 0  # entries read and hashed, in this run and in the one that it took up
    resumed: int = 0  # those of them that an earlier run read, which broke off
    resumed_since: int = 0  # when it began, in s since 1970 UTC
    cosigned: list[Cosigned] = field(default_factory=list)  # by the witnesses that were named
    damages: list[Damage] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong."""
        return not self.damages
