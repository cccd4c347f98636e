"""Pages of packs and dossiers: who sees them, how the making is watched, what a download hands out."""

import csv
import hashlib
import io
import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from audit.log.append import append, process
from audit.log.read import named
from audit.packs import jobs
from audit.packs.models import Dossier, Pack
from portal.clock import now
from portal.people.models import SignIn
from tests.audit.packs import told
from tests.factories import client_of, code_of
from tests.web.looking import VARIANTS, fits, seen
from tests.worlds import World, actor, make_world, request_of

PDF = b"%PDF-1.7 a pack"
SHA = hashlib.sha256(PDF).hexdigest()
FORM = {
    "first": "2026-07-01",
    "last": "2026-09-30",
    "frameworks": ["soc2", "iso27001"],
    "purpose": "Yearly examination of controls",
}


@pytest.fixture
def world(db: None) -> World:
    return make_world()


def browser_of(world: World, name: str) -> Client:
    return client_of(world.people[name])


def pack_of(world: World, **changes: Any) -> Pack:
    """A pack that Otto asked for, by default in the making."""
    from audit.packs.actions import request_pack

    pack = request_pack(
        by=actor(world.otto), start=1_782_864_000_000, end=1_790_812_800_000, systems=[str(world.system.pk)],
        frameworks=["soc2"], purpose="Yearly examination of controls",
    )  # fmt: skip
    state: dict[str, Any] = {"begun_at": now(), "stage": "Control tests run", "done": 12, "total": 47, "log_size": 9}
    Pack.objects.filter(pk=pack.pk).update(**{**state, **changes})
    pack.refresh_from_db()
    return pack


def made_pack(world: World) -> Pack:
    pack = pack_of(
        world, made_at=now(), sha256=SHA, bytes=len(PDF), pages=51, signer="DEMO signer", results={"T-01": "pass", "T-13": "deviation"},
        counts={"cases": 3, "activities": 5, "root": "ab" * 32, "at": 1_790_000_000_000, "fingerprint": "cd" * 32, "files": [
            {"name": "facts.sqlite", "description": "The facts", "rows": None, "bytes": 630_000, "sha256": "ef" * 32},
        ]},
    )  # fmt: skip
    pack.file.parent.mkdir(parents=True, exist_ok=True)
    pack.file.write_bytes(PDF)
    return pack


def dossier_of(world: World) -> Dossier:
    case = request_of(world).pk
    dossier = Dossier.objects.create(
        event_id=uuid.uuid4(),
        case=case,
        occasion="ended",
        made_at=now(),
        sha256=SHA,
        bytes=len(PDF),
        verdict="complete",
    )
    dossier.file.parent.mkdir(parents=True, exist_ok=True)
    dossier.file.write_bytes(PDF)
    return dossier


def not_fresh(client: Client, world: World, name: str) -> Client:
    """The second factor was given twenty minutes ago."""
    SignIn.objects.filter(person=world.people[name]).update(strong_at=now() - timedelta(minutes=20))
    return client


def other_auditor(world: World) -> Client:
    """An auditor of another system alone."""
    elsewhere = make_world(slug="ledger", on_target="ledger_emergency", people=dict(world.people) | {"otto": world.zoe})
    assert elsewhere.system != world.system
    return browser_of(world, "zoe")


# --- who


@pytest.mark.parametrize("name", ["mo", "kim", "pia", "ann", "zoe"])
def test_packs_are_for_auditors(world: World, name: str) -> None:
    pack, client = made_pack(world), browser_of(world, name)
    assert [client.get(reverse(each)).status_code for each in ("pack_list", "pack_new")] == [403, 403]
    assert client.post(reverse("pack_file")).status_code == 403
    assert client.get(reverse("pack_page", args=[pack.pk])).status_code == 404
    assert client.post(reverse("pack_download", args=[pack.pk]), {"purpose": "to read it"}).status_code == 403
    assert named(("pack.downloaded", "list.downloaded")) == []


def test_auditor_of_another_system_sees_nothing_of_it(world: World) -> None:
    pack, client = made_pack(world), other_auditor(world)
    listed = client.get(reverse("pack_list"))
    assert (listed.status_code, str(pack.pk) in listed.content.decode()) == (200, False)
    assert "<strong>0</strong> packs" in listed.content.decode()
    assert _rows(client.post(reverse("pack_file"))) == []
    assert client.get(reverse("pack_page", args=[pack.pk])).status_code == 404
    assert client.post(reverse("pack_download", args=[pack.pk]), {"purpose": "to read it"}).status_code == 403
    offered = client.get(reverse("pack_new")).content.decode()
    assert str(world.system.pk) not in offered
    asked = client.post(reverse("pack_new"), {**FORM, "systems": [str(world.system.pk)]})
    assert asked.status_code == 422
    assert Pack.objects.count() == 1


def test_list_names_its_total_and_is_a_file_on_record(world: World) -> None:
    pack, client = made_pack(world), browser_of(world, "otto")
    assert "<strong>1</strong> pack<" in client.get(reverse("pack_list")).content.decode()
    (row,) = _rows(client.post(reverse("pack_file")))
    assert (row["pack"], row["state"], row["sha256"]) == (str(pack.pk), "made", pack.sha256)
    (told,) = named(("list.downloaded",))
    assert (told.fields["list"], told.fields["rows"]) == ("packs", 1)


def _rows(answer: Any) -> list[dict[str, str]]:
    assert (answer.status_code, answer.headers["Content-Disposition"]) == (200, 'attachment; filename="packs.csv"')
    return list(csv.DictReader(io.StringIO(answer.getvalue().decode())))


@pytest.mark.parametrize(
    ("name", "status"), [("ann", 200), ("mo", 200), ("kim", 200), ("otto", 200), ("ben", 404), ("zoe", 404)]
)
def test_dossiers_are_for_those_who_see_the_case(world: World, name: str, status: int) -> None:
    dossier, client = dossier_of(world), browser_of(world, name)
    assert client.get(reverse("case_dossier", args=[dossier.case])).status_code == status
    answer = client.post(reverse("dossier_download", args=[dossier.pk]))
    assert (answer.status_code == 200) == (status == 200)
    assert len(named(("dossier.downloaded",))) == (status == 200)


def test_nobody_comes_in_without_a_sign_in(world: World) -> None:
    pack = made_pack(world)
    for address in (reverse("pack_list"), reverse("pack_page", args=[pack.pk])):
        assert Client().get(address)["Location"].startswith("/sign-in/")


# --- asking and watching


def registered(world: World) -> None:
    """The system as the log names it, which is what the form offers."""
    system = str(world.system.pk)
    append(
        "system.registered", by=process("test"), subject=f"system:{system}", system_id=system, slug="billing", name="Billing",
        owner_id=str(world.mo.pk), criticality="normal", personal_data=0, connector="simulated", reads_back=1, lists_access=1,
        in_scope_from=1,
    )  # fmt: skip


def test_pack_is_asked_for_by_the_form(world: World) -> None:
    told.organisation().write()  # the form offers what the log names
    client = browser_of(world, "otto")
    Pack.objects.all().delete()
    system = str(world.system.pk)
    registered(world)
    assert "Billing" in client.get(reverse("pack_new")).content.decode()
    answer = client.post(reverse("pack_new"), {**FORM, "systems": [system]})
    pack = Pack.objects.get()
    assert answer["Location"] == reverse("pack_page", args=[pack.pk])
    assert (pack.systems, pack.frameworks) == ([system], ["iso27001", "soc2"])
    assert (pack.period_end - pack.period_start).days == 92
    (event,) = named(("pack.requested",))
    assert event.personal["purpose"] == FORM["purpose"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"last": "2026-06-01"}, "This lies before the first day."),
        ({"first": "2999-01-01", "last": "2999-02-01"}, "This day has not begun."),
        ({"first": "never"}, "Enter a valid date."),
        ({"purpose": "no"}, "Say what it is for"),
        ({"systems": []}, "Choose at least one system."),
        ({"systems": ["' OR 1=1"]}, "Select a valid choice"),
        ({"frameworks": ["sox"]}, "Select a valid choice"),
        ({"purpose": "nul \x00 in it, and more"}, "Null characters are not allowed."),
    ],
)
def test_what_cannot_be_made_is_said_beside_its_field(world: World, changes: dict[str, Any], sentence: str) -> None:
    answer = browser_of(world, "otto").post(reverse("pack_new"), {**FORM, "systems": [str(world.system.pk)], **changes})
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not Pack.objects.exists()


def test_asking_needs_a_fresh_second_factor_before_anything_is_typed(world: World) -> None:
    client = not_fresh(browser_of(world, "otto"), world, "otto")
    assert client.get(reverse("pack_new"))["Location"] == f"/step-up/?next={reverse('pack_new').replace('/', '%2F')}"


def test_what_was_typed_stands_in_the_form_after_a_second_factor_that_went_stale_meanwhile(world: World) -> None:
    registered(world)
    client, said = not_fresh(browser_of(world, "otto"), world, "otto"), {**FORM, "systems": [str(world.system.pk)]}
    address = reverse("pack_new")
    answer = client.post(address, said, headers={"Referer": f"http://testserver{address}"})
    assert (answer["Location"], Pack.objects.count()) == (f"/step-up/?next={address.replace('/', '%2F')}", 0)
    client.post("/step-up/", {"code": code_of(world.otto), "next": address})
    form = client.get(address).context["form"]
    assert {name: form[name].value() for name in said} == said
    assert client.get(address).context["form"]["purpose"].value() is None  # once


def test_progress_is_shown_by_reload_and_by_poll_and_the_poll_is_no_look(world: World) -> None:
    pack, client = pack_of(world), browser_of(world, "otto")
    whole = client.get(reverse("pack_page", args=[pack.pk])).content.decode()
    looks = len(named(("page.viewed",)))
    part = client.get(reverse("pack_page", args=[pack.pk]), headers={"HX-Request": "true"})
    progress, state = part.content.decode().split('<span id="pack-state" hx-swap-oob="true">')
    assert progress.strip() in whole
    assert '<span id="pack-state">' in whole
    assert "In the making" in state
    assert 'value="12" max="47"' in whole
    assert "HX-Refresh" not in part
    assert len(named(("page.viewed",))) == looks == 1
    Pack.objects.update(made_at=now(), sha256=SHA)
    last = client.get(reverse("pack_page", args=[pack.pk]), headers={"HX-Request": "true"})
    assert last["HX-Refresh"] == "true"
    assert "hx-get" not in last.content.decode()


def test_pack_of_a_log_that_did_not_verify_says_so_on_its_page(world: World) -> None:
    pack, client = made_pack(world), browser_of(world, "otto")
    address, said = f"/packs/{pack.pk}/", "2 ranges of the log between signed checkpoints did not verify"
    assert said not in client.get(address).content.decode()
    Pack.objects.update(counts=pack.counts | {"unproved": 2})
    assert said in client.get(address).content.decode()


def test_failed_pack_says_why_and_what_to_do(world: World) -> None:
    pack = pack_of(world, failed_at=now(), trouble="The PDF needs more than 3072 MB of memory.")
    page = browser_of(world, "otto").get(reverse("pack_page", args=[pack.pk])).content.decode()
    assert "The PDF needs more than 3072 MB of memory." in page
    assert reverse("pack_new") in page
    assert reverse("pack_download", args=[pack.pk]) not in page


def test_pack_that_is_put_off_says_why_and_when_it_is_tried_again(world: World) -> None:
    pack = pack_of(world, next_try_at=now() + timedelta(hours=1), trouble="A file could not be read or written.")
    page = browser_of(world, "otto").get(reverse("pack_page", args=[pack.pk])).content.decode()
    assert "A file could not be read or written. What you asked for stands; it is tried again" in page
    Pack.objects.update(next_try_at=None, trouble="")
    assert (
        "it is tried again" not in browser_of(world, "otto").get(reverse("pack_page", args=[pack.pk])).content.decode()
    )


@pytest.mark.parametrize("count", [1, 3])
def test_list_asks_the_same_number_of_questions(world: World, count: int, django_assert_num_queries: Any) -> None:
    for _ in range(count):
        made_pack(world)
    client = browser_of(world, "otto")
    client.get(reverse("pack_list"))
    with django_assert_num_queries(QUERIES):
        client.get(reverse("pack_list"))


QUERIES = 15


# --- taking away


def test_download_hands_out_the_file_that_was_made(world: World) -> None:
    pack = made_pack(world)
    answer = browser_of(world, "otto").post(reverse("pack_download", args=[pack.pk]), {"purpose": "To read it"})
    assert (answer.status_code, answer.content, answer["Content-Type"]) == (200, PDF, "application/pdf")
    assert answer["Content-Disposition"] == f'attachment; filename="evidence-pack-20260701-{str(pack.pk)[:8]}.pdf"'
    assert answer["Cache-Control"] == "no-store"
    assert len(named(("pack.downloaded",))) == 1


def test_download_needs_a_purpose_and_a_fresh_second_factor(world: World) -> None:
    pack, client = made_pack(world), browser_of(world, "otto")
    assert client.post(reverse("pack_download", args=[pack.pk]), {"purpose": ""}).status_code == 302
    not_fresh(client, world, "otto")
    answer = client.post(reverse("pack_download", args=[pack.pk]), {"purpose": "To read it"})
    assert answer["Location"].startswith("/step-up/")
    assert named(("pack.downloaded",)) == []


def test_dossier_needs_a_fresh_second_factor(world: World) -> None:
    dossier = dossier_of(world)
    client = not_fresh(browser_of(world, "ann"), world, "ann")
    assert client.post(reverse("dossier_download", args=[dossier.pk]))["Location"].startswith("/step-up/")
    assert named(("dossier.downloaded",)) == []


# --- as people see them


def enter(page: Any, url: str, client: Client) -> None:
    page.context.add_cookies([{"name": "breakglass", "value": client.cookies["breakglass"].value, "url": url}])


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_pages_are_without_fault_for_eye_and_ear(live_server: LiveServer, browser: Browser) -> None:
    world = make_world()
    client = browser_of(world, "otto")
    empty = [reverse("pack_list"), reverse("pack_new")]
    with seen(browser, VARIANTS[0]) as page:
        enter(page, live_server.url, client)
        page.goto(live_server.url + empty[0])
        fits(page)
        packs = [made_pack(world), pack_of(world), pack_of(world, failed_at=now(), trouble="Too large.")]
        dossier, bare = dossier_of(world), request_of(world, "ben").pk
        addresses = [*empty, *(reverse("pack_page", args=[each.pk]) for each in packs)]
        addresses += [reverse("case_dossier", args=[dossier.case]), reverse("case_dossier", args=[bare])]
        for address in addresses:
            page.goto(live_server.url + address)
            fits(page)


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_pack_is_watched_until_it_is_made(
    live_server: LiveServer, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One page in place of fifty; the rest is real: the poll, the signed file, the results."""
    monkeypatch.setattr("audit.packs.paper.filled", lambda *_, **__: "<html><body><p>A pack</p></body></html>")
    world = make_world()
    told.organisation().write()
    pack = pack_of(world, begun_at=None, stage="", done=0, total=0, log_size=None)
    with seen(browser, VARIANTS[2]) as page:
        enter(page, live_server.url, browser_of(world, "otto"))
        page.goto(live_server.url + reverse("pack_page", args=[pack.pk]))
        expect(page.get_by_text("Waits for a worker")).to_be_visible()
        told.seal()
        assert jobs.run_due() == 1
        expect(page.get_by_role("button", name="Download the PDF")).to_be_visible(timeout=8000)
        button = page.get_by_role("button", name="Download the PDF")
        for _ in range(2):  # the page stays, and may hand it out again
            expect(button).not_to_have_class(re.compile("is-busy"))
            with page.expect_download() as download:
                button.click()
        assert hashlib.sha256(download.value.path().read_bytes()).hexdigest() == Pack.objects.get().sha256
