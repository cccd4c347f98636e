"""The status page's lines on the published log, its witnesses and its check."""

from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from audit.log import checking, guards
from audit.log.append import clock, process
from audit.log.publishing import publish_once
from audit.log.stores.directory import DirectoryStore
from audit.log.timestamps import taking
from portal.clock import now
from portal.health.log_rows import check_row, guards_row, published_row, timestamps_row, witnesses_row
from portal.health.rows import Sign
from tests.audit.log.logged import run_signer, sealed
from tests.authority import authority_in, serving
from tests.witnesses import ONE, OTHER

pytestmark = pytest.mark.django_db


def sign(**detail: object) -> Sign:
    return Sign(now(), detail)


def witness(name: str, *, required: bool, size: int, at: int | None, trouble: str = "") -> dict[str, object]:
    return {"name": name, "required": required, "size": size, "at": at, "trouble": trouble}


def test_nothing_is_said_of_what_is_not_set(settings: Any) -> None:
    settings.PORTAL_LOG_STORE = settings.PORTAL_LOG_WITNESSES = ""
    settings.PORTAL_TIMESTAMP_URL = ""
    assert (published_row(sign(published=3), now()), witnesses_row(sign(), now()), timestamps_row(now())) == (
        None,
        None,
        None,
    )


def test_timestamps_by_their_age_and_by_what_the_log_says_of_them(settings: Any, tmp_path: Path) -> None:
    sealed(1)
    with serving(authority_in(tmp_path)) as authority:
        settings.PORTAL_TIMESTAMP_URL, settings.PORTAL_TIMESTAMP_ROOTS = authority.address, str(authority.root)
        said = [timestamps_row(now())]
        authority.answers = False
        taking.run_due()
        said.append(timestamps_row(now()))
        authority.answers = True
        taking.run_due()
        said += [timestamps_row(now()), timestamps_row(now() + timedelta(hours=3))]
    taking.record_failure(by=process("timestamps"), sentence="It does not answer.", late=True)
    said.append(timestamps_row(now()))
    found = [(each.state, each.at is not None, each.says) for each in said if each]
    never = "Never timestamped. The timestamp authority answers 503."
    assert found == [
        ("unknown", False, "The authority was not asked yet."), ("late", False, never), ("healthy", True, "The last one covers 1 entries."),
        ("late", True, "Not timestamped since then."), ("down", True, "Not timestamped since then. It does not answer."),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("detail", "state", "says"),
    [
        ({}, "unknown", "The sealer has said nothing of it."),
        ({"published": 5, "unpublished": ""}, "healthy", "5 entries are published."),
        (
            {"published": 5, "unpublished": "What is sealed is not published."},
            "late",
            "What is sealed is not published.",
        ),
    ],
)
def test_published_log(settings: Any, detail: dict[str, object], state: str, says: str) -> None:
    settings.PORTAL_LOG_STORE = "/somewhere"
    found = published_row(sign(**detail), now())
    assert found is not None
    assert (found.state, found.says) == (state, says)


@pytest.mark.parametrize(
    ("trouble_of", "state"),
    [((), "healthy"), (("optional",), "late"), (("required",), "down"), (("required", "optional"), "down")],
)
def test_witnesses_by_whether_a_required_one_is_in_trouble(
    settings: Any, trouble_of: tuple[str, ...], state: str
) -> None:
    settings.PORTAL_LOG_WITNESSES = "\n".join(
        [f"required {ONE.cosigner().text()} http://a", f"optional {OTHER.cosigner().text()} http://b"]
    )
    words = {each: "It cannot be reached." if each in trouble_of else "" for each in ("required", "optional")}
    said = [
        witness("w1", required=True, size=7, at=1_790_000_000, trouble=words["required"]),
        witness("w2", required=False, size=0, at=None, trouble=words["optional"]),
    ]
    found = witnesses_row(sign(witnesses=said), now())
    assert found is not None
    assert (found.state, found.at is not None) == (state, True)
    one = "w1: not witnessed since 7 entries. It cannot be reached." if words["required"] else "w1: 7 entries."
    other = "w2: never witnessed. It cannot be reached." if words["optional"] else "w2: 0 entries."
    assert found.says == f"{one} {other}"


def test_published_and_cosigned_are_held_against_what_is_sealed_and_unknown_where_the_sealer_is_silent(
    settings: Any,
) -> None:
    settings.PORTAL_LOG_STORE = "/somewhere"
    settings.PORTAL_LOG_WITNESSES = f"optional {ONE.cosigner().text()} http://a"
    sealed(3)
    later = now() + timedelta(seconds=60)
    found = []
    for size, age_s in ((3, 0), (2, 0), (3, 20), (2, 20)):
        said = witness("w1", required=False, size=size, at=1_790_000_000)
        heard = Sign(later - timedelta(seconds=age_s), {"published": size, "unpublished": "", "witnesses": [said]})
        rows = (published_row(heard, later), witnesses_row(heard, later))
        found.append([each.state for each in rows if each])
        if age_s:
            assert [each.at for each in rows if each] == [heard.at, heard.at]
    assert found == [["healthy"] * 2, ["late"] * 2, ["unknown"] * 2, ["unknown"] * 2]


def test_check_of_the_log_by_its_age_and_what_it_found(settings: Any, tmp_path: Path) -> None:
    assert check_row(now()).state == "unknown"
    settings.PORTAL_LOG_STORE = str(tmp_path)
    sealed(300)
    publish_once(connection, DirectoryStore(tmp_path), [run_signer().verifier()])
    checking.check(by=process("checker"))
    assert [check_row(now() + timedelta(hours=hours)).state for hours in (0, 25, 27)] == ["healthy", "healthy", "late"]
    with clock(partial(int, now().timestamp() * 1000 + 10 * 60_000)):
        sealed(2)
    checking.check(by=process("checker"))
    assert (
        check_row(now()).state,
        "s. Entries that say a time later than when they were signed, cosigned or timestamped: 2."
        in check_row(now()).says,
    ) == (
        "healthy",
        True,
    )
    (tmp_path / "tile/entries/000").unlink()
    checking.check(by=process("checker"))
    assert (check_row(now()).state, check_row(now()).says) == (
        "amiss",
        "It found damage; the log and the findings name it.",
    )


def test_who_could_alter_the_log_by_the_last_look_at_each_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PORTAL_LOG_KEY_FILE", raising=False)
    assert guards_row(now()).state == "unknown"
    guards.record(by=guards.GUARDS, looked=guards.Looked("database", 0, 0, True))
    guards.record(by=guards.GUARDS, looked=guards.Looked("tiles", None, None, True))
    assert [guards_row(now() + timedelta(hours=hours)).state for hours in (0, 23, 25)] == ["healthy", "healthy", "late"]
    guards.record(by=guards.GUARDS, looked=guards._of_folder(tmp_path))
    found = guards_row(now())
    assert (found.state, found.says) == ("amiss", "Published files: the web process may write there.")
    guards.record(by=guards.GUARDS, looked=guards.Looked("tiles", 0, 0, True))
    assert guards_row(now()).state == "healthy"
