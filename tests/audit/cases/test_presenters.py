"""Every event in plain words."""

from string import Formatter
from typing import Any
from uuid import UUID

import pytest

from audit.cases.inert import inert, one_line
from audit.cases.presenters import PRESENTERS, line, name_of, people_in
from audit.events import catalogue
from audit.events.spec import Field
from audit.log.read import LoggedEvent

ANN = "3f2a41ce-0000-4000-8000-000000000001"
HOSTILE = "<script>alert(1)</script> \u202egnp.exe\u2066 \x00\x1b[31m"
SAMPLES: dict[str, Any] = {
    "int": 3,
    "time": 1_780_000_000_000,
    "bool": 1,
    "list": ["a thing"],
    "map": {"a": "b"},
    "id": ANN,
    "text": "a word",
}


def braces(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


def sample(name: str, *, optional: bool, says: str = "some words") -> LoggedEvent:
    """An event with all its fields, or with those alone that it must have."""
    given = [each for each in catalogue[name].fields if optional or not each.optional]
    fields = {each.name: SAMPLES[each.kind] for each in given if not each.personal}
    personal = {each.name: says for each in given if each.personal}
    return event(name, fields, personal)


def event(
    name: str, fields: dict[str, Any], personal: dict[str, str], commitments: dict[str, str] | None = None
) -> LoggedEvent:
    return LoggedEvent(
        7,
        UUID(int=1),
        name,
        SAMPLES["time"],
        ANN,
        None,
        None,
        "",
        "",
        fields,
        personal,
        commitments or dict.fromkeys(personal, "00"),
    )


def test_every_event_of_the_catalogue_has_a_presenter() -> None:
    assert set(PRESENTERS) == set(catalogue)


@pytest.mark.parametrize("name", sorted(PRESENTERS))
def test_presenter_speaks_of_declared_fields_alone_and_always_has_a_title(name: str) -> None:
    presenter, declared = PRESENTERS[name], catalogue[name].by_name
    assert set().union(*map(braces, (presenter.title, *presenter.parts))) <= set(declared)
    assert [each for each in braces(presenter.title) if declared[each].optional] == []


@pytest.mark.parametrize("optional", [False, True], ids=["least", "most"])
@pytest.mark.parametrize("name", sorted(PRESENTERS))
def test_every_event_gives_a_whole_line(name: str, optional: bool) -> None:
    found = line(sample(name, optional=optional), {ANN: "Ann Berg"})
    assert found.title
    assert "{" not in found.title + found.text
    assert (found.by, found.index, found.name) == ("Ann Berg", 7, name)


def test_what_a_check_counted_reads_well_of_one() -> None:
    found = line(event("log.checked", {"ok": 1, "size": 9, "published": 9, "unseen": 1, "misdated": 1}, {}), {})
    assert found.text.split(" · ")[1:] == [
        "Witnesses that could not be looked at: 1",
        "Entries that say a time later than when they were signed, cosigned or timestamped: 1",
    ]


@pytest.mark.parametrize("name", sorted(name for name, each in catalogue.items() if each.personal))
def test_erased_value_is_said_to_be_erased(name: str) -> None:
    full = sample(name, optional=True)
    erased = LoggedEvent(**{**full.__dict__, "personal": {}})
    told, gone = line(full, {}), line(erased, {})
    shown = {each for each in full.personal if "some words" in told.title + told.text}
    assert "some words" not in gone.title + gone.text
    assert ("(erased)" in gone.title + gone.text) == bool(shown)


def test_names_come_from_the_log_and_erased_ones_say_so() -> None:
    seen = sample("request.seen", optional=True)
    assert line(seen, {ANN: "Ann Berg"}).by == "Ann Berg"
    assert line(seen, {}).by == "person 3f2a41ce"
    erased = event("request.seen", {"person_id": ANN}, {}, {"by_name": "00"})
    assert line(erased, {}).by == "(erased) 3f2a41ce"
    assert name_of("process:sweep", {}) == "The sweep"
    assert name_of("list:security", {}) == "The security list"
    assert name_of("process:new_thing", {}) == "The new thing"


def test_people_of_lists_are_named() -> None:
    known = [f for f in catalogue["request.made"].fields if f.name == "asked"]
    assert known == [Field("asked", "list")]
    fields = {
        **sample("request.made", optional=False).fields,
        "asked": [ANN],
        "told": [],
        "intended_classes": ["data_read"],
        "minutes": 1,
    }
    made = event("request.made", fields, {})
    found = line(made, {ANN: "Ann Berg"})
    assert "Asked: Ann Berg" in found.text
    assert "Told" not in found.text
    assert "Intends: Data read" in found.text
    assert found.title.endswith("1 minute")
    assert people_in([made]) == {ANN}


def test_bypass_stands_out() -> None:
    fields = sample("request.made", optional=False).fields
    assert line(event("request.made", {**fields, "mode": "bypass"}, {}), {}).tone == "glass"
    assert line(event("request.made", {**fields, "mode": "approved"}, {}), {}).tone == "accent"


def test_unsealed_opening_is_told_and_a_sealed_one_is_not_denied() -> None:
    fields = sample("grant.activated", optional=False).fields
    assert "before the log was sealed" in line(event("grant.activated", {**fields, "unsealed": 1}, {}), {}).text
    assert "before the log was sealed" not in line(event("grant.activated", {**fields, "unsealed": 0}, {}), {}).text


def test_event_of_a_later_version_is_shown_all_the_same() -> None:
    found = line(event("comet.seen", {"size": 3}, {}), {})
    assert (found.title, found.name) == ("An entry that this version cannot put into words", "comet.seen")


@pytest.mark.parametrize("name", ["request.made", "activity.recorded", "finding.raised"])
def test_hidden_characters_are_made_visible(name: str) -> None:
    found = line(sample(name, optional=True, says=HOSTILE), {ANN: HOSTILE})
    everything = found.title + found.text + found.by
    assert not set("\u202e\u2066\x00\x1b") & set(everything)
    assert "[U+202E]gnp.exe[U+2066]" in everything


def test_inert_text_keeps_lines_and_marks_what_hides() -> None:
    assert inert("a\r\nb\tc") == "a\nb\tc"
    assert inert("a\u200bb\u2028c\x07") == "a[U+200B]b[U+2028]c[U+0007]"
    assert one_line("a\n  b") == "a b"
    assert one_line("x" * 400) == "x" * 299 + "…"


def test_braces_in_values_are_plain_text() -> None:
    made = event("finding.raised", {"title": "{by} {0.__class__}", "finding_id": "f", "kind": "k", "about_id": "x"}, {})
    assert line(made, {}).title == "Finding: {by} {0.__class__}"
