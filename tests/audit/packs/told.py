"""Stories of events written into the real log by its one writer and sealed with the run's key, so that packs can be made of them."""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from django.db import connection, transaction

from audit.events import catalogue
from audit.log.append import Actor, Entry, append_many
from audit.log.sealing import seal_once
from tests.audit.facts import story
from tests.audit.facts.stream import MINUTE, Stream
from tests.audit.log.logged import run_signer

SPACE = uuid.UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")
PEOPLE_LISTS = ("asked", "told", "skipped", "pool", "involved", "administrators")
SUBJECTS = {"person_id": "person", "grant_id": "grant", "system_id": "system"}


def ident(short: str) -> str:
    """The uuid that stands for a short name of a story."""
    return str(uuid.uuid5(SPACE, short))


class Told(Stream):
    """A stream that keeps what was said, personal values too, so that it can be written for keeps."""

    def say(self, name: str, when: int, by: str, /, *, case: str = "", old: int = 2 * MINUTE, **fields: Any) -> str:
        """Keep one event."""
        given = {key: _mapped(name, key, value) for key, value in fields.items() if value is not None}
        actor = Actor(by, by) if by.startswith("process:") else Actor(ident(by), by.title(), "totp", when - old)
        subject = _subject(name, given)
        self.bodies.append({"entry": Entry(name, actor, given, ident(case) if case else "", subject, when)})
        return ""

    def write(self) -> None:
        """Append all in the order of their times, and seal them."""
        entries = sorted((body["entry"] for body in self.bodies), key=lambda entry: entry.at)
        for start in range(0, len(entries), 500):
            with transaction.atomic():
                append_many(entries[start : start + 500])
        seal()


def seal() -> None:
    """Seal all that waits."""
    while seal_once(connection, run_signer(), time.time_ns() // 1_000_000):
        pass


def _mapped(name: str, key: str, value: Any) -> Any:
    declared = catalogue[name].by_name[key]
    if declared.kind == "id" and isinstance(value, str) and ":" not in value:
        return ident(value)
    return [ident(each) for each in value] if key in PEOPLE_LISTS else value


def _subject(name: str, fields: dict[str, Any]) -> str:
    if name.startswith(("person.", "system.")):
        key = "person_id" if name.startswith("person.") else "system_id"
        return f"{SUBJECTS[key]}:{fields[key]}"
    return f"grant:{fields['grant_id']}" if "grant_id" in fields else ""


@contextmanager
def telling() -> Iterator[None]:
    """Let the stories' functions build streams that can be written."""
    with mock.patch.object(story, "Stream", Told):
        yield


def organisation() -> Told:
    """The small organisation, to which uses can be added."""
    with telling():
        log = story.organisation()
    assert isinstance(log, Told)
    return log


def quarter() -> Told:
    """A quarter in which all went well."""
    with telling():
        log = story.quarter()
    assert isinstance(log, Told)
    return log
