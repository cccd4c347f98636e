"""Downloads as facts: who took a pack or a dossier, and whether roles entitled them to it."""

from typing import Any

import pytest

from audit.controls.loading import load_catalogue
from audit.facts.fold import computed, fold, readable
from audit.facts.schema import new_database
from portal.permissions import SYSTEM_RULES
from tests.audit.facts import story
from tests.audit.facts.stream import PERIOD, at, judge


def _took(
    person: str, when: int, *, systems: list[str] | None = None, case: str = "", claims: int = 1
) -> dict[str, Any]:
    """The fact of one download: of a pack of the systems, or of the dossier of a case."""
    log = story.organisation()
    story.system(log, "payroll", at("06-02"))
    story.approved_use(log, "C", at("07-03"))
    story.grant_role(log, "hana", "auditor", at("07-02"))
    log.say(
        "role.ended", at("08-01"), "pia", role_id="hana-auditor", person_id="hana", role="auditor", system_id="billing",
        ended_at=at("08-01"), cause="revoked", narrows=1, changed_by="pia", effective_at=at("08-01"),
    )  # fmt: skip
    log.say("person.left", at("08-20"), "pia", person_id="jon", left_at=at("08-20"))
    if systems is not None:
        log.say(
            "pack.requested",
            at("06-20"),
            "hana",
            pack_id="P",
            period_start=1,
            period_end=2,
            systems=systems,
            frameworks=[],
        )
    if case:
        log.say("dossier.downloaded", when, person, case=case, dossier_id="D", person_id=person)
    else:
        log.say(
            "pack.downloaded", when, person, pack_id="P", person_id=person, in_role_and_scope=claims, purpose_given=1,
            link_expires_at=when, redaction_profile="standard", required_profile="standard",
        )  # fmt: skip
    judged = judge(log)
    assert judged.results["T-42"].result == "inconclusive"
    (row,) = judged.facts("downloads")
    return row


@pytest.mark.parametrize(
    ("person", "when", "systems", "entitled"),
    [
        ("hana", "07-05", ["billing"], 1),
        ("hana", "07-01", ["billing"], 0),
        ("hana", "08-02", ["billing"], 0),
        ("hana", "07-05", ["billing", "payroll"], 0),
        ("kim", "07-05", ["billing"], 0),
        ("hana", "07-05", None, None),
    ],
    ids=["auditor", "not yet", "no longer", "of one system only", "reviewer", "pack that nobody asked for"],
)
@pytest.mark.parametrize("claims", [0, 1])
def test_who_took_a_pack_was_entitled_by_roles_and_never_by_the_word_of_the_download(
    person: str, when: str, systems: list[str] | None, entitled: int | None, claims: int
) -> None:
    row = _took(person, at(when), systems=systems, claims=claims)
    assert (row["in_role_and_scope"], row["purpose_given"]) == (entitled, 1)


@pytest.mark.parametrize(
    ("person", "when", "entitled"),
    [
        ("hana", "07-05", 1), ("kim", "07-05", 1), ("ann", "07-05", 1), ("ines", "07-05", 1), ("ben", "07-05", 0), ("mo", "07-05", 0),
        ("jon", "08-19", 1), ("jon", "08-21", 0), ("hana", "08-02", 0),
    ],
    ids=["auditor", "reviewer", "responder", "approver", "outsider", "no role", "before leaving", "left", "no longer"],
)  # fmt: skip
def test_who_took_a_dossier_was_entitled_by_role_or_part_in_the_case(person: str, when: str, entitled: int) -> None:
    row = _took(person, at(when), case="C")
    assert (row["pack_id"], row["in_role_and_scope"], row["purpose_given"]) == ("D", entitled, None)


def test_links_and_redaction_that_are_not_built_are_no_facts() -> None:
    row = _took("hana", at("07-05"), systems=["billing"])
    assert [row[name] for name in ("link_expires_at", "redaction_profile", "required_profile")] == [None, None, None]


@pytest.mark.parametrize(("systems", "left"), [(["billing"], 1), (["billing", "payroll"], 2), (["payroll"], 1)])
def test_downloads_of_other_systems_alone_are_left_out_of_a_choice(systems: list[str], left: int) -> None:
    log = story.organisation()
    story.system(log, "payroll", at("06-02"))
    for number, system in enumerate(("billing", "payroll")):
        log.say(
            "pack.requested",
            at("06-20"),
            "hana",
            pack_id=system,
            period_start=1,
            period_end=2,
            systems=[system],
            frameworks=[],
        )
        log.say(
            "pack.downloaded", at("06-21") + number, "hana", pack_id=system, person_id="hana", in_role_and_scope=1, purpose_given=1,
            redaction_profile="standard", required_profile="standard",
        )  # fmt: skip
    db = new_database()
    fold(db, readable(log.entries()), period=PERIOD, parameters=load_catalogue().parameters, only=systems)
    assert db.execute("SELECT count(*) FROM downloads").fetchone() == (left,)
    db.close()


def test_readers_in_the_facts_are_those_whom_the_portal_lets_in() -> None:
    assert (
        frozenset(SYSTEM_RULES["audit.view_system"]),
        frozenset(SYSTEM_RULES["audit.make_pack"]),
    ) == (computed.READERS_OF_A_CASE, computed.READERS_OF_A_PACK)
