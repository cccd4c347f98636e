"""Packs as pages show them."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from audit.controls.loading import load_catalogue
from audit.packs.models import FAILED, MADE, MAKING, REQUESTED, Pack
from audit.packs.results import ORDER

OVER = (MADE, FAILED)
LOOKS = {
    REQUESTED: ("Waiting", "note", "hourglass"),
    MAKING: ("In the making", "note", "clock"),
    MADE: ("Made", "good", "circle-check"),
    FAILED: ("Not made", "attention", "alert-triangle"),
}
WORDS = {"not_applicable": "not applicable"}


@dataclass(frozen=True)
class Work:
    """How far the making is."""

    stage: str
    done: int
    total: int
    over: bool


def work(pack: Pack) -> Work:
    """How far the making is."""
    stage = pack.stage or ("Waits for a worker" if pack.state == REQUESTED else "Begins")
    return Work(stage, pack.done, pack.total, pack.state in OVER)


def progress(pack: Pack) -> dict[str, Any]:
    """The part of its page that asks again, and its state, which goes with it."""
    return {"pack": pack, "work": work(pack), "look": LOOKS[pack.state]}


def row(pack: Pack, people: Mapping[str, str], systems: Mapping[str, str]) -> dict[str, Any]:
    """One line of the list."""
    return {
        "pack": pack, "look": LOOKS[pack.state], "who": people.get(str(pack.asked_by), "a person whose name was erased"),
        "systems": ", ".join(sorted(systems.get(each, each[:8]) for each in pack.systems)),
        "last": pack.period_end - timedelta(seconds=1), "tally": tally(pack),
    }  # fmt: skip


COLUMNS = (
    "pack", "from", "until", "systems", "asked_by", "asked_at", "state", "log_size", "made_at", "failed_at", "sha256", "bytes", "pages", "results",
)  # fmt: skip


def line(pack: Pack, people: Mapping[str, str], systems: Mapping[str, str]) -> tuple[object, ...]:
    """One line of the list as a file."""
    told = row(pack, people, systems)
    results = ", ".join(f"{count} {name}" for name, count in told["tally"])
    return (
        pack.pk, pack.period_start, pack.period_end, told["systems"], told["who"], pack.asked_at, pack.state, pack.log_size, pack.made_at,
        pack.failed_at, pack.sha256, pack.bytes, pack.pages, results,
    )  # fmt: skip


def tally(pack: Pack) -> list[tuple[str, int]]:
    """How many tests gave which result, those that some test gave."""
    counts = Counter(pack.results.values())
    return [(WORDS.get(name, name), counts[name]) for name in ORDER if counts[name]]


def page(pack: Pack, people: Mapping[str, str], systems: Mapping[str, str]) -> dict[str, Any]:
    """The page of one pack."""
    known = load_catalogue().frameworks
    return row(pack, people, systems) | {
        "work": work(pack),
        "figures": [{"label": name.capitalize(), "value": count} for name, count in tally(pack)],
        "frameworks": ", ".join(known[each].name for each in pack.frameworks if each in known),
        "files": pack.counts.get("files", []),
    }
