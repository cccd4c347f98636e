"""What facts rest on, held against the fold itself: an entry without which the facts are others is one of those."""

import sqlite3
from collections.abc import Iterator

from audit.controls.loading import load_catalogue
from audit.facts.fold import HANDLERS, Folded, fold, readable
from audit.facts.given import Period
from audit.facts.schema import load_schema, new_database
from audit.log.ranges import Entry
from tests.audit.facts import story
from tests.audit.facts.everything import everything
from tests.audit.facts.stream import PERIOD, Stream, at

OF_ALL = ("kept_records", "log_ranges")  # the bundles of the log and its ranges, which its root proves


def _folded(
    entries: list[Entry], only: tuple[str, ...], period: Period
) -> tuple[Folded, dict[str, list[tuple[object, ...]]]]:
    db = new_database()
    done = fold(db, readable(entries), period=period, parameters=load_catalogue().parameters, only=only)
    rows = dict(_tables(db))
    db.close()
    return done, rows


def _tables(db: sqlite3.Connection) -> Iterator[tuple[str, list[tuple[object, ...]]]]:
    for table in load_schema().tables:
        if table not in OF_ALL:
            yield table, db.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()


def _changing(entries: list[Entry], only: tuple[str, ...], period: Period) -> set[int]:
    """Entries without which the facts would be others, found by folding the log once without each."""
    _, whole = _folded(entries, only, period)
    return {
        each.index
        for place, each in enumerate(entries)
        if _folded(entries[:place] + entries[place + 1 :], only, period)[1] != whole
    }


def _two_systems() -> Stream:
    log = story.quarter()
    story.system(log, "ledger", at("06-02"))
    story.ask(log, "C4", at("08-03"), person="ben")
    log.find("request.made", case="C4")["fields"].update(system_id="ledger", system_name="ledger")
    story.act(log, "C1", 40, at("07-03", "02:20"))
    return log


def test_what_changes_the_facts_is_what_they_rest_on() -> None:
    """Both ways: what is named beyond those was read by a handler, and a later entry said the same or more."""
    entries = everything().entries()
    done, _ = _folded(entries, ("billing",), PERIOD)
    names = {each.index: each.name for each in readable(entries)}
    assert _changing(entries, ("billing",), PERIOD) - set(done.rests.on) == set()
    untouched = {
        "personal_value.erased",
        "personal_values.expired",
    }  # of values whose time has not come: they give no row
    assert {names[index] for index in done.rests.on} == {
        name for name in names.values() if name in HANDLERS
    } - untouched
    assert (done.rests.elsewhere, done.rests.outside) == (0, 0)


def test_entries_of_another_system_are_counted_and_not_named() -> None:
    entries = _two_systems().entries()
    mine, both = (_folded(entries, only, PERIOD)[0].rests for only in (("billing",), ("billing", "ledger")))
    ledger = {
        each.index
        for each in readable(entries)
        if "ledger" in (each.fields.get("system_id"), each.case) or each.case == "C4"
    }
    assert set(both.on) - set(mine.on) == ledger
    changing = _changing(entries, ("billing",), PERIOD) - set(mine.on)
    assert changing <= ledger
    assert mine.elsewhere == len(changing)


def test_actions_before_the_period_are_counted_and_not_named() -> None:
    entries = _two_systems().entries()
    later = Period(at("09-01"), at("10-01"), at("10-02"))
    during, after = (_folded(entries, ("billing",), period)[0].rests for period in (PERIOD, later))
    crowd = {
        each.index
        for each in readable(entries)
        if each.name in ("activity.recorded", "session.started", "session.ended")
    }
    before = set(during.on) - set(after.on)
    assert before == {each.index for each in readable(entries) if each.index in crowd and each.at < later.start_at}
    assert (during.outside, after.outside) == (0, len(before))
