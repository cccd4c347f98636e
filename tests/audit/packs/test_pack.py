"""The period pack: computed from the sealed log alone, the same again, checked by tools that are not ours."""

import csv
import hashlib
import io
import json
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import dataclass, replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from audit.inert_csv import cell
from audit.log.checkpoint import parse_checkpoint, verify_checkpoint
from audit.log.keys import load_verifiers
from audit.log.proof import parse_proofs, verify_carried
from audit.log.verify.__main__ import main as verify
from audit.packs import evidence, paper, position
from audit.packs.evidence import Evidence, Scope
from audit.packs.paper import Paper, Request
from audit.packs.printing import filled
from audit.packs.render import Metadata, render_pdf, workplace
from tests.audit.facts import story
from tests.audit.facts.stream import at
from tests.audit.packs import told
from tests.audit.packs.archival import faults
from tests.audit.packs.pdfs import columns_of, files_of, text_of, words_of

pytestmark = pytest.mark.django_db
HOSTILE = '=HYPERLINK("http://evil.example") <script>alert(1)</script> {{ settings.SECRET_KEY }} \u202egnihton'
LONG = "SELECT " + ", ".join(f"column_{number}" for number in range(400)) + " FROM invoices"
SCOPE = Scope(at("07-01"), at("10-01"), (told.ident("billing"),), ("soc2", "iso27001"))
ASKED = Request("5d3c", told.ident("kim"), at("10-02"), "Yearly examination <b>of controls</b>")


@dataclass(frozen=True)
class Made:
    """A pack that was drawn, and what it was drawn from."""

    evidence: Evidence
    paper: Paper
    again: bytes
    words: str
    text: str


def _quarter() -> told.Told:
    log = told.quarter()
    story.act(log, "C1", 7, at("07-03", "02:27"), "data_read", statement=HOSTILE, outcome="denied", state_code="42501")
    story.act(log, "C1", 8, at("07-03", "02:28"), statement=LONG, statement_length=len(LONG))
    story.ask(log, "C3", at("08-01"), person="ben", reason=HOSTILE)
    story.system(log, "ledger", at("06-02"))
    story.ask(log, "C4", at("08-03"), person="ben")
    log.bodies[-1]["entry"].fields.update(system_id=told.ident("ledger"), system_name="ledger")
    return log


def gathered(scope: Scope = SCOPE) -> Evidence:
    return evidence.gathered(scope, position.newest(), lambda *_: None)


def _drawn(found: Evidence) -> Paper:
    with workplace() as folder:
        return paper.drawn(paper.ready(found, ASKED, folder, signed=True, demo=True))


@pytest.fixture(scope="module")
def made(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Drawn once, and gathered and drawn once more from the same log."""
    with django_db_blocker.unblock(), transaction.atomic():
        _quarter().write()
        found = gathered()
        drawn, again = _drawn(found), _drawn(gathered())
        transaction.set_rollback(True)
    folder = tmp_path_factory.mktemp("read")
    return Made(found, drawn, again.pdf, words_of(drawn.pdf, folder), text_of(drawn.pdf, folder))


def test_same_position_gives_the_same_bytes(made: Made) -> None:
    assert made.paper.pdf == made.again


def test_cover_names_each_attached_file_with_its_count_and_hash(made: Made) -> None:
    files = files_of(made.paper.pdf)
    assert sorted(files) == [
        "activities.csv", "activities.jsonl", "checkpoint.txt", "facts.sqlite", "log-proofs.txt", "log-public-keys.txt", "tests.sql",
    ]  # fmt: skip
    cover = made.text.split("\f")[0].replace(" ", "").replace("\n", "")
    for name, data in files.items():
        digest = hashlib.sha256(data).hexdigest()
        assert digest == made.paper.sha256(name)
        assert name in cover
        assert digest[:16] in cover
    counts = {each.name: each.rows for each in made.paper.files}
    assert (counts["activities.jsonl"], counts["activities.csv"], counts["tests.sql"]) == (5, 5, 47)


@pytest.mark.parametrize("name", ["T-02", "T-10", "T-12", "T-13", "T-29"])
def test_printed_sql_gives_the_same_rows_in_a_bare_python(made: Made, tmp_path: Path, name: str) -> None:
    """A process with nothing of ours: the standard library, the attached file, and the text as it was printed."""
    (test,) = [each for each in made.evidence.tests if each.result.id == name]
    (tmp_path / "facts.sqlite").write_bytes(files_of(made.paper.pdf)["facts.sqlite"])
    program = "import sqlite3,sys,json; print(json.dumps([list(row) for row in sqlite3.connect('facts.sqlite').execute(sys.stdin.read())]))"
    said = subprocess.run(
        [sys.executable, "-I", "-c", program],
        input=test.result.sql,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    rows = json.loads(said.stdout)
    judged = [row for row in rows if not str(row[0]).startswith("feed:")]
    assert len(judged) == test.result.population_count
    assert {result: [row[-1] for row in rows].count(result) for result in test.result.counts} == dict(
        test.result.counts
    )
    ids = b"".join(each + b"\n" for each in sorted(str(row[0]).encode() for row in judged))
    assert hashlib.sha256(ids).hexdigest() == test.population_sha256


@pytest.mark.skipif(shutil.which("sqlite3") is None, reason="the sqlite3 command is not installed here")
def test_attached_queries_run_in_the_sqlite_shell(made: Made, tmp_path: Path) -> None:
    for name, data in files_of(made.paper.pdf).items():
        (tmp_path / name).write_bytes(data)
    with (tmp_path / "tests.sql").open() as queries:
        said = subprocess.run(
            ["sqlite3", "-bail", "facts.sqlite"],
            stdin=queries,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
    assert said.stderr == ""
    rows = said.stdout.splitlines()
    assert len(rows) == sum(sum(each.result.counts.values()) for each in made.evidence.tests)


def test_attached_checkpoint_is_signed_by_the_attached_key(made: Made) -> None:
    files = files_of(made.paper.pdf)
    keys = load_verifiers(files["log-public-keys.txt"].decode())
    verified = verify_checkpoint(parse_checkpoint(files["checkpoint.txt"]), keys)
    assert (verified.size, verified.root.hex()) == (made.evidence.position.size, made.evidence.position.root)
    assert str(verified.size) in made.words


def test_each_entry_that_the_pack_rests_on_is_proved_by_the_attached_files_alone(
    made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = files_of(made.paper.pdf)
    proofs = parse_proofs(files["log-proofs.txt"])
    keys = load_verifiers(files["log-public-keys.txt"].decode())
    bodies = [verify_carried(each, keys).body for each in proofs]
    assert {each.checkpoint.checkpoint.size for each in proofs} == {made.evidence.position.size}
    assert {each.name: each.rows for each in made.paper.files}["log-proofs.txt"] == len(proofs)
    asked = {each["case"] for each in bodies if each["name"] == "request.made"}
    assert asked == {case.id for case in made.evidence.cases}
    acted = {each["fields"]["activity_id"] for each in bodies if each["name"] == "activity.recorded"}
    assert acted == {line["activity_id"] for line in made.evidence.lines}
    systems = {each["fields"]["system_id"] for each in bodies if each["name"] == "system.registered"}
    assert systems == {told.ident("billing")}, "entries of another system are nobody's to read here"
    (tmp_path / "proofs").write_bytes(files["log-proofs.txt"])
    key = files["log-public-keys.txt"].decode().split()[0]
    assert verify(["proof", str(tmp_path / "proofs"), "--key", key]) == 0
    assert capsys.readouterr().out.count("\nentry ") == len(proofs) - 1


def test_every_chapter_is_there_with_what_it_must_say(made: Made) -> None:
    for words in (
        "What this pack does not claim", "It draws no audit conclusion", "Results by AICPA Trust Services Criteria",
        "Results by ISO/IEC 27001", "Not shown:", "Completeness by source", "Who used what, and when",
        "Appendix A: how to check this pack", "Appendix C: the SQL that ran", "catalogue of tests",
    ):  # fmt: skip
        assert words.lower() in made.words.lower(), words
    assert all(each.result.id in made.words for each in made.evidence.tests)


def test_what_is_asked_of_the_reader_is_in_the_appendix(made: Made) -> None:
    """The verifier, the page that does without it, and that nobody but the operator holds a log without witnesses."""
    for words in (
        "verify.pyz proof log-proofs.txt --key-file log-public-keys.txt",
        "Check us without us", f"log-grown-since-{made.evidence.position.size}.txt", "the operator alone holds the log",
    ):  # fmt: skip
        assert words in made.words, words


def test_every_query_is_printed_whole(made: Made, tmp_path: Path) -> None:
    pages = made.text.split("\f")
    first = next(number for number, page in enumerate(pages, 1) if "One query for each test" in page)
    printed = columns_of(made.paper.pdf, tmp_path, first)
    assert [each.result.id for each in made.evidence.tests if "".join(each.result.sql.split()) not in printed] == []


def test_pages_are_counted_to_the_last(made: Made) -> None:
    pages = made.text.split("\f")[:-1]
    assert [f"Page {number} of {len(pages)}" in page for number, page in enumerate(pages, 1)] == [True] * len(pages)


def test_pack_is_what_the_archival_standard_asks(made: Made) -> None:
    assert faults(made.paper.pdf) == []


def test_how_far_the_mapping_was_checked_is_said_once(made: Made) -> None:
    """In an appendix, of each chosen framework; the control: the cover names the frameworks, and says no such thing."""
    page = filled("pack.html", paper.context(made.evidence, ASKED, made.paper.files, signed=True, demo=True))
    words = unescape(page).lower()
    cover, rest = words.split('<section class="chapter contents">')
    _, appendix = rest.split("how far the mapping was checked against the sources")
    for name in SCOPE.frameworks:
        framework = made.evidence.catalogue.frameworks[name]
        assert framework.label.lower() in cover
        for said in (framework.compared.lower(), framework.not_compared.lower()):
            assert (words.count(said), appendix.count(said)) == (1, 1)


def test_table_of_files_stays_whole_beside_many_systems(made: Made, tmp_path: Path) -> None:
    """So many that the page would end in the middle of the table."""
    given = dict(paper.context(made.evidence, ASKED, made.paper.files, signed=True, demo=True))
    given["systems"] = [f"Payments of the region number {number}" for number in range(34)]
    page = filled("pack.html", given).split('<section class="chapter contents">')[0]
    pages = text_of(render_pdf(page, [], Metadata("t", "a", "s", 0, "ab" * 32)), tmp_path).split("\f")
    names = [each.name for each in made.paper.files]
    assert [[name in page for name in names] for page in pages if "Attached files" in page] == [[True] * len(names)]
    assert "number 33" in pages[0]


def test_exceptions_stand_in_the_catalogues_words(made: Made) -> None:
    (deviation,) = [each for each in made.evidence.tests if each.result.result == "deviation"]
    assert deviation.result.id == "T-13"
    assert deviation.exceptions == "1 of 5 actions went beyond the privilege or the kinds of action that were asked for"
    assert deviation.exceptions in made.words


def test_each_page_of_a_demo_pack_is_marked(made: Made) -> None:
    pages = made.text.split("\f")[:-1]
    assert len(pages) == made.paper.pages
    assert [number for number, page in enumerate(pages, 1) if "DEMO" not in page] == []


def test_failed_and_deviating_activities_come_first(made: Made) -> None:
    ordered = paper.ordered_lines(made.evidence)
    assert ordered[0]["outcome"] == "denied"
    assert [line["at"] for line in ordered[1:]] == sorted(line["at"] for line in ordered[1:])
    assert "Printed: 5 of 5." in made.words


def test_activities_of_each_kind_stand_in_order_of_time(made: Made) -> None:
    told = [
        ("e", "no_error_seen", False),
        ("d", "no_error_seen", True),
        ("c", "denied", False),
        ("b", "no_error_seen", True),
    ]
    lines = [
        {**made.evidence.lines[0], "activity_id": key, "outcome": outcome, "not_intended": not_intended, "at": at}
        for at, (key, outcome, not_intended) in enumerate([("a", "failed", False), *told, ("f", "denied", True)])
    ]
    evidence = replace(made.evidence, lines=tuple(lines[::-1]), deviating=frozenset({"e"}))
    assert "".join(str(line["activity_id"]) for line in paper.ordered_lines(evidence)) == "aecfdb"


def test_more_activities_than_are_printed_are_said_and_attached(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paper, "MOST_ACTIVITIES", 2)
    shown = paper.context(made.evidence, ASKED, made.paper.files, signed=True, demo=False)
    assert len(shown["activities"]) == 2  # type: ignore[arg-type]  # a list
    assert (shown["activities_shown"], shown["activities_total"]) == (2, 5)
    assert len(files_of(made.paper.pdf)["activities.jsonl"].splitlines()) == 5


def test_hostile_text_is_inert_in_the_pdf(made: Made) -> None:
    assert "<script>alert(1)</script> {{ settings.SECRET_KEY }} ⟨U+202E⟩gnihton" in made.words
    assert "examination <b>of controls</b>" in made.words
    assert b"/JavaScript" not in made.paper.pdf
    assert b"/Launch" not in made.paper.pdf


def test_hostile_text_is_inert_in_the_csv_and_whole_in_the_lines(made: Made) -> None:
    files = files_of(made.paper.pdf)
    rows = list(csv.DictReader(io.StringIO(files["activities.csv"].decode())))
    (row,) = [row for row in rows if "HYPERLINK" in row["statement"]]
    assert row["statement"].startswith("'=HYPERLINK")
    assert "\u202e" not in files["activities.csv"].decode()
    lines = [json.loads(line) for line in files["activities.jsonl"].splitlines()]
    assert [line["statement"] for line in lines if line["statement"] == HOSTILE] == [HOSTILE]
    assert [line["activity_id"] for line in lines] == [row["activity_id"] for row in rows]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("=1+1", "'=1+1"), (" =1+1", "' =1+1"), ("+1", "'+1"), ("-1", "-1"), ("-a", "'-a"), ("@a", "'@a"), ("\ta", "'\ta"),
        ("\uff1d1", "'\uff1d1"), ("plain", "plain"), ("a=b", "a=b"), ("\x00=1", "⟨U+0000⟩=1"), ("中", "中"),
    ],
)  # fmt: skip
def test_cell_is_no_formula(given: str, expected: str) -> None:
    assert cell(given) == expected


def test_rows_of_other_systems_are_left_out(made: Made) -> None:
    """The control: the other system's request is in the log."""
    facts = sqlite3.connect(":memory:")
    facts.deserialize(files_of(made.paper.pdf)["facts.sqlite"])
    assert facts.execute("SELECT count(*) FROM requests").fetchone() == (3,)
    assert {row[0] for row in facts.execute("SELECT system_id FROM requests")} == {told.ident("billing")}
    assert len(made.evidence.cases) == 3
    assert "ledger" not in made.words


def test_no_personal_value_stands_in_the_facts(made: Made) -> None:
    facts = files_of(made.paper.pdf)["facts.sqlite"]
    assert [word for word in (b"gnihton", b"Disk full", b"example.org", b"Ann") if word in facts] == []


def test_erased_and_doctored_values_are_said_to_be() -> None:
    from tests.audit.log.logged import doctored

    _quarter().write()
    case = told.ident("C1")
    doctored(
        "UPDATE audit_personal_value SET value = 'A fine reason' WHERE field = 'reason' AND event_id IN (SELECT id FROM audit_event WHERE \"case\" = %s)",
        case,
    )
    doctored(
        "DELETE FROM audit_personal_value WHERE field = 'reason' AND event_id IN (SELECT id FROM audit_event WHERE \"case\" = %s)",
        told.ident("C2"),
    )
    reasons = {each.id: each.asked.reason for each in gathered().cases if each.asked}
    assert reasons[case] == "(does not match the log)"
    assert reasons[told.ident("C2")] == "(erased)"
    assert reasons[told.ident("C3")] == HOSTILE


def test_doctored_log_is_told_on_the_first_pages() -> None:
    from tests.audit.log.logged import doctored

    _quarter().write()
    longer = "replace(convert_from(body, 'UTF8'), '\"minutes\":60', '\"minutes\":61')::bytea"
    where = "name = 'request.made' AND \"case\" = %s"
    doctored(f"UPDATE audit_event SET body = {longer} WHERE {where}", told.ident("C1"))
    found = gathered()
    assert [each.ok for each in found.ranges] == [False]
    shown = paper.context(found, ASKED, (), signed=True, demo=False)
    assert shown["bad_ranges"] == list(found.ranges)
    assert {each.result.id: each.result.result for each in found.tests}["T-27"] == "deviation"


def test_period_that_is_not_over_is_said_to_be_unfinished() -> None:
    _quarter().write()
    found = gathered(Scope(at("07-01"), at("12-01"), SCOPE.systems, ()))
    shown = paper.context(found, ASKED, (), signed=False, demo=False)
    assert (shown["unfinished"], shown["gone"]) == (True, None)
    assert shown["matrices"] == []
