"""What a reviewer is asked. The words stand in the catalogue's ``review_questions.yaml``; they are read there and nowhere repeated."""

import hashlib
from dataclasses import dataclass
from functools import cache

import yaml

from portal.parameters import CATALOGUE, values

FILE = CATALOGUE / "review_questions.yaml"
YES, NO, UNSURE = "yes", "no", "unsure"
ANSWERS = {YES: "Yes", NO: "No", UNSURE: "Not sure"}
SETS_UPHELD = "reviews.emergency_upheld"
OUTCOMES = {
    "accepted": "Accepted",
    "accepted_with_findings": "Accepted, with findings to put right",
    "not_accepted": "Not accepted",
}


@dataclass(frozen=True)
class Question:
    """One question. ``adverse`` answers need a comment and open a finding, which cites the first of ``tests``.

    ``severe``: one of its tests is of high or critical severity, so that adverse answers count towards a second reviewer.
    """

    id: str
    ask: str
    adverse: frozenset[str]
    sets: str
    tests: tuple[str, ...]
    severe: bool

    @property
    def number(self) -> int:
        """As it is counted on the page."""
        return int(self.id.removeprefix("Q"))


@cache
def questions() -> tuple[Question, ...]:
    """The questions after a use, in their order."""
    return tuple(_question(row) for row in _document()["post_use"])


def _question(row: dict[str, object]) -> Question:
    """As the file's head says: ``unsure`` is adverse unless it is listed as fine."""
    fine, adverse = set(_words(row.get("fine"))), set(_words(row["adverse"]))
    return Question(
        str(row["id"]), str(row["ask"]), frozenset((adverse | {UNSURE}) - fine), str(row.get("sets", "")),
        tuple(_words(row.get("tests"))), bool(row.get("severe")),
    )  # fmt: skip


def _words(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else []


@cache
def severe_enough() -> int:
    """So many adverse answers to severe questions ask for a second reviewer; the operator's stricter figure holds."""
    return int(min(values("second_reviewer_answers")))


@cache
def statement() -> str:
    """What the reviewer states when they submit."""
    return str(_document()["post_use_statement"])


@cache
def second_statement() -> str:
    """What a second reviewer states."""
    return str(_document()["post_use_second_statement"])


def statement_sha256() -> str:
    """SHA-256 over the statement's bytes (UTF-8), in hex."""
    return hashlib.sha256(statement().encode()).hexdigest()


@cache
def _document() -> dict[str, list[dict[str, object]]]:
    document: dict[str, list[dict[str, object]]] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return document
