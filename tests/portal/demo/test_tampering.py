"""The demo's page that tampers: each way changes the stored log as a superuser could, both checks name it, and it is put right again."""

import html
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as conf
from django.db import connection
from django.test import Client

from audit.log.checking import published
from audit.log.checkpoint import parse_checkpoint, verify_checkpoint
from audit.log.examination import examine
from audit.log.publishing import publish_once
from audit.log.ranges import StoredNote
from audit.log.read import named
from audit.log.sealing import SealingError, seal_once
from audit.log.stores.directory import DirectoryStore
from audit.log.verify.check import Wanted, check
from audit.log.verify.damage import Kind
from audit.log.verify.sources import Folder
from portal.demo import tampering
from portal.embedded.environment import for_a_shell
from portal.embedded.state import ENVIRONMENT, write_private
from portal.people.models import Person
from tests.at_once import at_once
from tests.audit.log.logged import appended, run_signer, sealed
from tests.browsing import browser_of
from tests.servers import role_url, superuser_url
from tests.worlds import authorised, make_world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def _demo(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log of more than one bundle, with an approval in it, published."""
    settings.PORTAL_DEMO = True
    settings.PORTAL_DATA, settings.PORTAL_LOG_STORE = tmp_path, str(tmp_path / "log")
    settings.ROOT_URLCONF = "tests.architecture.every_url"
    monkeypatch.setenv("PORTAL_DEMO_SUPERUSER_URL", superuser_url(str(connection.settings_dict["NAME"])))
    (tmp_path / "sealer.key").write_text(run_signer().text())
    authorised(make_world())
    sealed(300)
    publish_once(connection, DirectoryStore(tmp_path / "log"), [run_signer().verifier()])


def damages() -> list[str]:
    return examine([run_signer().verifier()], published=published()).sentences()


@pytest.mark.usefixtures("_demo")
@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("approver", "do not have the root"), ("removed", "is missing"), ("name", "personal value does not match"),
        ("published", "Published: entries changed"),
    ],
)  # fmt: skip
def test_what_is_done_is_named_and_put_right_again(kind: str, said: str) -> None:
    browser = Client()
    assert damages() == []
    browser.post("/demo/tamper/", {"act": "tamper", "kind": kind})
    browser.post("/demo/tamper/", {"act": "tamper", "kind": "removed"})  # a second one does nothing
    found = damages()
    assert said in " ".join(found)
    assert len(found) == (2 if kind == "approver" else 1), "what follows from it is said as such, or not at all"
    assert ("That follows where entries beneath it are not those" in " ".join(found)) == (kind == "approver")
    page = browser.get("/demo/tamper/").content.decode()
    assert tampering.KINDS[kind].label in page
    browser.post("/demo/tamper/", {"act": "mend"})
    assert (damages(), tampering.tampered()) == ([], "")
    assert [event.name for event in named(["request.approved"])] == ["request.approved"]


@pytest.mark.usefixtures("_demo")
@pytest.mark.parametrize(
    ("kind", "entry", "told"),
    [
        ("approver", 200, "It cannot be proved"), ("removed", 404, ""), ("name", 200, "Does not fit its hash"),
        ("anew", 200, "Proved with the public key"),
    ],
)  # fmt: skip
def test_the_page_leads_to_what_was_changed_and_says_what_the_portal_shows_of_it(
    kind: str, entry: int, told: str
) -> None:
    """As an auditor of the system reads entry and case."""
    (approval,) = named(["request.approved"])
    auditor = browser_of(Person.objects.get(email__startswith="otto"))
    tampering.tamper(kind)
    page = Client().get("/demo/tamper/").content.decode()
    assert html.escape(tampering.KINDS[kind].pages) in page
    assert (f'href="/log/{approval.index}/"' in page, f'href="/cases/{approval.case}/"' in page) == (True, True)
    answers = [auditor.get(f"/log/{approval.index}/"), auditor.get(f"/cases/{approval.case}/")]
    assert [each.status_code for each in answers] == [entry, 200]
    shown = [each.content.decode() for each in answers]
    assert told in shown[0]
    assert (f"/log/{approval.index}/" in shown[1]) == (kind != "removed")


def stored() -> list[object]:
    """All that the log holds: rows of each of its tables, and bytes of each published file."""
    with connection.cursor() as cursor:
        rows = []
        for table in tampering.KEYS:
            cursor.execute(f"SELECT to_jsonb(t)::text FROM {table} t ORDER BY 1")
            rows.append(cursor.fetchall())
    files = Path(conf.PORTAL_LOG_STORE).rglob("*")
    return [rows, {str(path): path.read_bytes() for path in files if path.is_file()}]


@pytest.mark.usefixtures("_demo")
def test_what_is_signed_anew_is_whole_to_all_who_remember_nothing_and_named_by_all_who_remember(settings: Any) -> None:
    """Two checkpoints hold the approval. Those who remember the last: a check, an outsider, the sealer."""
    sealed(3)
    keys, store = [run_signer().verifier()], Path(settings.PORTAL_LOG_STORE)
    publish_once(connection, DirectoryStore(store), keys)
    before, head = stored(), (store / "checkpoint").read_bytes()
    seen = verify_checkpoint(parse_checkpoint(head), keys)
    (approval,) = named(["request.approved"])
    browser = Client()
    browser.post("/demo/tamper/", {"act": "tamper", "kind": "anew"})
    assert named(["request.approved"])[0].by != approval.by
    anew = parse_checkpoint((store / "checkpoint").read_bytes())
    assert (anew.checkpoint.size, anew.checkpoint.root == seen.root) == (seen.size, False)
    assert (damages(), check(Folder(store), Wanted(keys))[0].whole) == ([], True)
    verdict, _ = check(Folder(store), Wanted(keys, seen=[seen]))
    assert [each.kind for each in verdict.damages] == [Kind.FORKED]
    told = examine(keys, [StoredNote(seen.size, head, 0)], published=published()).sentences()
    assert told != []
    appended()
    with pytest.raises(SealingError, match="is not the one of which"):
        seal_once(connection, run_signer(), 0, known=seen)
    browser.post("/demo/tamper/", {"act": "mend"})
    assert (stored()[1], damages()) == (before[1], [])
    assert seal_once(connection, run_signer(), 0, known=seen) == 1


@pytest.mark.usefixtures("_demo")
def test_what_is_signed_anew_is_put_back_to_the_byte() -> None:
    before = stored()
    tampering.tamper("anew")
    assert stored() != before
    tampering.mend()
    assert stored() == before


@pytest.mark.usefixtures("_demo")
@pytest.mark.parametrize(
    ("kind", "ours", "outsiders"),
    [
        ("", (0, "WHOLE."), [(0, "WHOLE.")]),
        ("approver", (1, "do not have the root"), [(0, "WHOLE."), (0, "WHOLE.")]),
        ("removed", (1, "is missing"), [(0, "WHOLE."), (0, "WHOLE.")]),
        ("name", (1, "1 personal value does not match"), [(0, "WHOLE."), (0, "WHOLE.")]),
        ("published", (1, "Published: entries changed"), [(1, "NOT WHOLE: 1 damage.")] * 2),
        ("anew", (0, "WHOLE."), [(0, "WHOLE."), (1, "NOT WHOLE: 1 damage.")]),
    ],
)  # fmt: skip
def test_the_page_runs_the_checks_and_shows_what_they_say(
    kind: str, ours: tuple[int, str], outsiders: list[tuple[int, str]], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What lies in the database alone an outsider cannot see; what is published both see; what was signed anew only who remembers."""
    monkeypatch.setenv("DATABASE_URL", role_url("owner", str(connection.settings_dict["NAME"])))
    monkeypatch.setenv("PORTAL_LOG_STORE", settings.PORTAL_LOG_STORE)
    monkeypatch.setenv("PORTAL_LOG_PUBLIC_KEY", settings.PORTAL_LOG_PUBLIC_KEY)
    if kind:
        tampering.tamper(kind)
    ran = tampering.checks()
    assert ran[0].command.split()[-2:] == ["manage.py", "verify_log"]
    assert {tuple(each.command.split()[1:3]) for each in ran[1:]} == {("-m", "audit.log.verify")}
    assert ["--seen" in each.command for each in ran[1:]] == [False, True][: len(outsiders)]
    assert (ran[0].status, ours[1] in ran[0].said) == (ours[0], True), ran[0].said
    assert [(each.status, each.said.splitlines()[-1]) for each in ran[1:]] == outsiders
    page = html.unescape(Client().post("/demo/tamper/", {"act": "check"}).content.decode())
    assert [each.said.splitlines()[-1] in page for each in ran] == [True] * len(ran)
    assert ("calls it whole" in page) == (kind == "anew")


@pytest.mark.usefixtures("_demo")
def test_each_check_runs_as_it_is_printed_in_a_fresh_shell(
    settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    told = {
        "DATABASE_URL": role_url("web", str(connection.settings_dict["NAME"])),
        "PORTAL_LOG_STORE": settings.PORTAL_LOG_STORE,
        "PORTAL_LOG_PUBLIC_KEY": settings.PORTAL_LOG_PUBLIC_KEY,
    }
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    write_private(tmp_path / ENVIRONMENT, for_a_shell(told | {"PATH": "not ours"}))
    tampering.tamper("published")
    ran = tampering.checks()
    again = [
        subprocess.run(
            ["/bin/sh", "-c", each.command],
            cwd=settings.BASE_DIR,
            env={"PATH": os.defpath},
            capture_output=True,
            text=True,
            check=False,
        )
        for each in ran
    ]
    assert [(each.returncode, (each.stdout + each.stderr).strip()) for each in again] == [
        (each.status, each.said) for each in ran
    ]
    assert [each.status for each in ran] == [1, 1, 1]


def test_without_a_superuser_there_is_no_such_page(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.architecture.every_url"
    assert [Client().get("/demo/tamper/").status_code, Client().post("/demo/tamper/").status_code] == [404, 404]


def test_outside_a_demo_there_is_no_such_page_whatever_address_is_given(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PORTAL_DEMO, settings.ROOT_URLCONF = False, "tests.architecture.every_url"
    monkeypatch.setenv("PORTAL_DEMO_SUPERUSER_URL", superuser_url(str(connection.settings_dict["NAME"])))
    answers = [Client().get("/demo/tamper/"), Client().post("/demo/tamper/", {"act": "tamper", "kind": "removed"})]
    assert [each.status_code for each in answers] == [404, 404]
    with pytest.raises(LookupError):
        tampering._unguarded()


@pytest.mark.usefixtures("_demo")
def test_of_two_at_once_one_is_done_and_put_right_again() -> None:
    kinds = iter(["name", "published"])
    assert at_once(2, lambda: tampering.tamper(next(kinds))) == [None, None]
    tampering.mend()
    assert (damages(), tampering.tampered()) == ([], "")


@pytest.mark.usefixtures("_demo")
def test_who_approved_is_no_other_approver() -> None:
    with tampering._unguarded() as superuser:
        (approval,) = named(["request.approved"])
        superuser.execute("UPDATE audit_event SET \"by\" = %s WHERE name = 'request.made'", [approval.by])
        with pytest.raises(LookupError):
            tampering._other_approver(superuser)
        superuser.rollback()
