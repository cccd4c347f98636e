"""What is attached proves exactly what the paper rests on, each proof by the verifier that stands alone; and that the log only grew."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.template import Context

from audit.facts.fold import HANDLERS
from audit.log.checkpoints import public_keys
from audit.log.keys import load_signer
from audit.log.proof import parse_proofs
from audit.log.read import LoggedEvent, follow
from audit.log.sealing import seal_once
from audit.log.verify.__main__ import main as verify
from audit.packs import campaign_paper, dossier_paper, evidence, paper, printing
from audit.packs.campaign import NAMES
from audit.packs.evidence import Scope
from audit.packs.known import NAMED_BY
from audit.packs.position import newest
from audit.packs.proofs import NAME, Proven
from audit.packs.render import Attachment, workplace
from tests.audit.facts import story
from tests.audit.facts.stream import at
from tests.audit.log.logged import appended, doctored, run_signer
from tests.audit.log.test_log_keys import run as log_keys
from tests.audit.packs import told
from tests.audit.packs.pdfs import files_of, words_of
from tests.audit.packs.test_pack import ASKED

pytestmark = pytest.mark.django_db
BILLING = told.ident("billing")


def log_of_two_systems() -> None:
    """A quarter with what belongs to no case: a witness, a rehearsal, an orphan session, a hold; a secret that was shown and replaced; another system."""
    log = told.quarter()
    day = at("08-20")
    log.say("log.witnessed", day, "process:sealer", size=10, witness="w", ok=1, at=day)
    log.say("hold.set", day, "kim", hold_id="H", person_id="ben", case_id="", reason="a case at court")
    log.say(
        "session.unmatched", day, story.GATHER, session_id="o", source_session="1.9", login="x", started_at=day, why="no_grant", received_at=day,
        source_id="S-billing", system_id="billing",
    )  # fmt: skip
    given: dict[str, Any] = {"account_id": "A-vault", "rotation_id": "R-C1", "grant_id": "G-C1", "system_id": "billing"}
    log.say("sealed.rotated", at("07-03", "12:00"), "olga", rotated_at=at("07-03", "12:00"), rotated_by="olga", **given)
    story.system(log, "ledger", at("06-02"))
    story.ask(log, "C4", at("08-03"), person="ben")
    log.bodies[-1]["entry"].fields.update(system_id=told.ident("ledger"), system_name="ledger")
    for body in log.bodies:
        entry = body["entry"]
        if entry.name == "campaign.started":
            body["entry"] = replace(entry, subject=f"campaign:{entry.fields['campaign_id']}")
    log.write()


def everything() -> list[LoggedEvent]:
    return follow(0, limit=100_000)


def named_in(texts: list[LoggedEvent]) -> set[int | None]:
    """The entries that name whom and what these speak of."""
    said = " ".join(f"{each.by} {each.fields}" for each in texts)
    return {each.index for each in everything() if each.name in NAMED_BY and each.fields[NAMED_BY[each.name]] in said}


def pack() -> tuple[bytes, set[int | None]]:
    found = evidence.gathered(Scope(at("07-01"), at("10-01"), (BILLING,), ()), newest(), lambda *_: None)
    with closing(found.db), workplace() as folder:
        pdf = paper.drawn(paper.ready(found, ASKED, folder, signed=False, demo=True)).pdf
    others = {told.ident("ledger"), told.ident("C4")}
    cases = {case.id for case in found.cases}
    mine = [each for each in everything() if others.isdisjoint((each.fields.get("system_id"), each.case))]
    return pdf, {
        each.index for each in mine if each.name in HANDLERS or each.case in cases or each.name == "privilege.added"
    }


def dossier() -> tuple[bytes, set[int | None]]:
    pdf = dossier_paper.made(told.ident("C1"), "ended", newest(), signed=False, demo=True).pdf
    about = [each for each in everything() if each.case == told.ident("C1") or each.name == "sealed.rotated"]
    assert [each.name for each in about if not each.case] == ["sealed.rotated"]
    return pdf, {each.index for each in about} | named_in(about)


def campaign() -> tuple[bytes, set[int | None]]:
    started = next(each for each in everything() if each.name == "campaign.started")
    identity = started.fields["campaign_id"]
    pdf = campaign_paper.made(identity, newest(), signed=False, demo=True)
    about = [each for each in everything() if each.name.startswith("campaign.") and each.fields.get("campaign_id") == identity
             and each.name in NAMES]  # fmt: skip
    return pdf, {each.index for each in about} | named_in(about)


PAPERS = [pack, dossier, campaign]


@pytest.mark.parametrize("made", PAPERS, ids=[each.__name__ for each in PAPERS])
def test_what_is_proved_is_all_that_the_paper_rests_on(
    made: Callable[[], tuple[bytes, set[int | None]]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log_of_two_systems()
    pdf, expected = made()
    files = files_of(pdf)
    proofs = parse_proofs(files["log-proofs.txt"])
    names = {each.index: each.name for each in everything()}
    proved = {each.index for each in proofs}
    assert sorted((names[index or 0], index) for index in expected ^ proved) == []
    assert len(proofs) == len(proved)
    (tmp_path / "proofs").write_bytes(files["log-proofs.txt"])
    key = files["log-public-keys.txt"].decode().split()[0]
    assert verify(["proof", str(tmp_path / "proofs"), "--key", key]) == 0
    assert capsys.readouterr().out.count("entry ") >= len(proofs)
    assert f"proves {len(proved)} of " in words_of(pdf, tmp_path)


def proofs_hold(pdf: bytes, folder: Path, *keys: str) -> bool:
    (folder / "proofs").write_bytes(files_of(pdf)["log-proofs.txt"])
    return verify(["proof", str(folder / "proofs"), *(word for key in keys for word in ("--key", key))]) == 0


def test_papers_from_before_and_after_a_change_of_the_logs_key_prove_their_entries(
    tmp_path: Path, settings: Any
) -> None:
    log_of_two_systems()
    settings.PORTAL_LOG_ORIGIN, settings.PORTAL_LOG_PUBLIC_KEY = run_signer().name, run_signer().verifier().text()
    before, _ = dossier()
    settings.PORTAL_LOG_PUBLIC_KEY = "\n".join(log_keys("--next", "--out", str(tmp_path / "next")).splitlines()[2:])
    appended(2)
    assert seal_once(connection, load_signer(tmp_path / "next/log.key"), 1, trusted=public_keys()) == 2
    old, new = log_keys("--retire").split()
    settings.PORTAL_LOG_PUBLIC_KEY = f"{old}\n{new}"
    after, _ = dossier()
    carried = [files_of(each)["log-public-keys.txt"].decode().split() for each in (before, after)]
    assert carried == [[run_signer().verifier().text()], [old, new]]
    held = [[proofs_hold(pdf, tmp_path, *keys) for keys in ([old, new], [old], [new])] for pdf in (before, after)]
    assert held == [[True, True, False], [True, False, True]]


def test_an_entry_that_cannot_be_proved_is_named(tmp_path: Path) -> None:
    log_of_two_systems()
    (asked,) = [each for each in everything() if each.name == "request.made" and each.case == told.ident("C1")]
    longer = "replace(convert_from(body, 'UTF8'), '\"minutes\":60', '\"minutes\":61')::bytea"
    doctored(f"UPDATE audit_event SET body = {longer} WHERE id = %s", str(asked.id))
    pdf, expected = dossier()
    proved = {each.index for each in parse_proofs(files_of(pdf)["log-proofs.txt"])}
    assert expected - proved == {asked.index}
    words = words_of(pdf, tmp_path)
    assert f"proves {len(proved)} of {len(expected)} entries" in words
    assert f"do not verify: 1, entry {asked.index}." in words


@pytest.mark.parametrize("made", PAPERS, ids=[each.__name__ for each in PAPERS])
def test_that_the_log_only_grew_is_attached(
    made: Callable[[], tuple[bytes, set[int | None]]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = told.Told()
    log.say("log.witnessed", at("05-01"), "process:sealer", size=1, witness="w", ok=1, at=at("05-01"))
    log.write()
    before = newest().size
    log_of_two_systems()
    pdf, _ = made()
    for name, data in files_of(pdf).items():
        (tmp_path / name).write_bytes(data)
    key = (tmp_path / "log-public-keys.txt").read_text().split()[0]
    words = ["grown", str(tmp_path / "log-grown.txt"), "--since", str(tmp_path / "checkpoint-before.txt"), "--key", key]
    assert verify(words) == 0
    assert f"{newest().size} entries begin with the {before} of before." in capsys.readouterr().out
    assert f"begins with the {before} entries" in words_of(pdf, tmp_path)


@pytest.mark.parametrize(("unknown", "says"), [((), False), ((7,), True), (tuple(range(21)), True)])
def test_what_nobody_understood_is_named(unknown: tuple[int, ...], says: bool) -> None:
    nothing = Attachment(NAME, b"", "text/plain", "", "Source")
    shown = (
        printing._engine()
        .get_template("packs/proof.html")
        .render(Context({"proof": {"at": 0}, "proven": Proven(nothing, 3, unknown=unknown)}))
    )
    text = " ".join(shown.split())
    assert ("Not understood" in text) == says
    assert ("entry 7. Nothing of it is in here, and what its case rests on is not decided." in text) == (
        unknown == (7,)
    )
    assert ("18, 19 and others." in text) == (len(unknown) == 21)
