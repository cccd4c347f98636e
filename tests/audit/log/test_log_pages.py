"""Pages of the log: for whom, in which order, with bytes and proofs that hold outside of the portal."""

import base64
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from audit.log import checkpoints, pages
from audit.log.append import Entry, append_many, process
from audit.log.checkpoint import parse_checkpoint, verify_checkpoint
from audit.log.errors import NotVerified
from audit.log.models import Event, PersonalValue, QueueEntry, SealedEntry, StoredCheckpoint
from audit.log.proof import parse_proof, verify_proof, write_proof
from audit.log.read import named, of_case, recent, size
from audit.log.single_file import single_file
from audit.log.verify.proofs import verify_growth
from tests.audit.cases.written import hire_auditor
from tests.browsing import browser_of
from tests.servers import wait_until
from tests.worlds import World, make_world, request_of, sealing

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> Iterator[World]:
    with sealing():
        made = make_world()
        hire_auditor(made)
        yield made


def sealed() -> None:
    wait_until(lambda: not QueueEntry.objects.exists(), "the sealer")


def index_of(request: object, name: str = "request.made") -> int:
    (event,) = of_case(request.pk, [name])  # type: ignore[attr-defined]
    assert event.index is not None
    return event.index


def entries_on(page: str) -> list[int]:
    return [int(each) for each in re.findall(r'href="/log/(\d+)/"', page)]


def test_whole_log_is_for_auditors_of_everything(world: World) -> None:
    request = request_of(world)
    sealed()
    assert browser_of(world.vera).get("/log/").status_code == 200
    for name in ("otto", "mo", "pia", "kim", "ann", "zoe"):
        assert (name, browser_of(world.people[name]).get("/log/").status_code) == (name, 403)
    assert Client().get("/log/").status_code == 302
    refused = browser_of(world.people["mo"])
    assert "the newest checkpoint, at /log/checkpoint," in refused.get("/log/").content.decode()
    assert verify_checkpoint(parse_checkpoint(refused.get("/log/checkpoint").content), checkpoints.public_keys())
    for name in ("otto", "mo", "kim", "ann"):
        page = browser_of(world.people[name]).get(f"/log/?case={request.pk}").content.decode()
        assert index_of(request) in entries_on(page)
    for name in ("zoe", "ben"):
        assert browser_of(world.people[name]).get(f"/log/?case={request.pk}").status_code == 404


def test_entry_is_not_there_for_those_who_may_not_see_it(world: World) -> None:
    request = request_of(world)
    sealed()
    index, others = index_of(request), recent(["signin.opened"]) or recent(["configuration.changed"])
    for name, status in {"vera": 200, "otto": 200, "mo": 200, "ann": 200, "ben": 404, "zoe": 404}.items():
        client = browser_of(world.people[name])
        for part in ("", "bytes", "proof"):
            assert (name, part, client.get(f"/log/{index}/{part}").status_code) == (name, part, status)
        assert client.get(f"/log/{others[0].index}/").status_code == (200 if name == "vera" else 404)
    assert browser_of(world.vera).get("/log/99999/").status_code == 404
    assert Client().get(f"/log/{index}/").status_code == 302


def test_newest_entries_come_first_and_pages_leave_none_out(world: World) -> None:
    for number in range(30):
        request_of(
            world, ("ann", "ben")[number % 2], reason=f"Reason number {number}, which is long enough to be a reason."
        )
    vera = browser_of(world.vera)
    vera.get("/log/")
    sealed()
    total, seen, address = size(), [], "/log/?all=1"
    while True:
        page = vera.get(address).content.decode()
        seen += entries_on(page)
        following = re.search(r'rel="next" href="\?([^"]+)"', page)
        if not following:
            break
        address = "/log/?" + following[1].replace("&amp;", "&")
    assert seen == list(range(total - 1, -1, -1))


def test_routine_is_left_out_and_counted_until_all_is_asked_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long nothing but routine was written, a page looks through so much of it, and the next goes on there."""
    vera = browser_of(world.vera)
    first = vera.get("/log/").status_code
    beat: dict[str, object] = {"source_id": "s", "system_id": "s", "nonce": "n", "sent_at": 1}
    with transaction.atomic():
        append_many([Entry("source.heartbeat_sent", process("watch"), beat)] * 60)
    sealed()
    monkeypatch.setattr(pages, "LOOKED_THROUGH", 40)
    shown = [vera.get(address).content.decode() for address in ("/log/", f"/log/?before={size() - 40}", "/log/?all=1")]
    assert (first, entries_on(shown[0]), "40 routine entries are left out here" in shown[0]) == (200, [], True)
    assert f'rel="next" href="?before={size() - 40}"' in shown[0]
    assert (entries_on(shown[1])[0], "20 routine entries are" in shown[1]) == (size() - 61, True)
    assert (len(entries_on(shown[2])), entries_on(shown[2])[0]) == (pages.ON_A_PAGE, size() - 1)
    monkeypatch.setattr(pages, "LOOKED_THROUGH", 20_000)
    seen: list[int] = []
    address = "/log/"
    while following := re.search(r'rel="next" href="\?([^"]+)"', page := vera.get(address).content.decode()):
        seen, address = seen + entries_on(page), "/log/?" + following[1].replace("&amp;", "&")
    seen += entries_on(page)
    beats = {event.index for event in named(["source.heartbeat_sent"])}
    assert seen == [index for index in range(size() - 1, -1, -1) if index not in beats]


def test_a_name_that_is_routine_is_shown_where_it_is_asked_for(world: World) -> None:
    with transaction.atomic():
        append_many(
            [
                Entry(
                    "source.heartbeat_sent",
                    process("watch"),
                    {"source_id": "s", "system_id": "s", "nonce": "n", "sent_at": 1},
                )
            ]
        )
    sealed()
    page = browser_of(world.vera).get("/log/?name=source.heartbeat_sent").content.decode()
    assert entries_on(page) == [event.index for event in named(["source.heartbeat_sent"])]


def test_log_is_narrowed_by_name(world: World) -> None:
    request_of(world)
    sealed()
    page = browser_of(world.vera).get("/log/?name=request.made").content.decode()
    assert entries_on(page) == [event.index for event in recent(["request.made"])]
    assert browser_of(world.vera).get("/log/?name=nonsense&case=x&before=-1").status_code == 200


def test_sealing_state_is_the_last_checkpoint(world: World) -> None:
    request_of(world)
    vera = browser_of(world.vera)
    vera.get("/log/")
    sealed()
    last = StoredCheckpoint.objects.latest("size")
    page = vera.get("/log/").content.decode()
    assert base64.b64encode(bytes(last.root)).decode() in page
    assert f"{last.size} entries, signed" in page
    assert "Signature checked" in page
    note = vera.get("/log/checkpoint").content
    assert verify_checkpoint(parse_checkpoint(note), checkpoints.public_keys()).size == last.size
    first = StoredCheckpoint.objects.order_by("size")[0]
    grown = vera.get(f"/log/checkpoint/since/{first.size}").content
    before, after = verify_growth(grown, first.note.encode(), checkpoints.public_keys())
    assert (before.size, after.size) == (first.size, StoredCheckpoint.objects.latest("size").size)
    assert [vera.get(f"/log/checkpoint/since/{size}").status_code for size in (0, after.size + 1000)] == [404, 404]


def test_checkpoint_that_does_not_verify_is_told(world: World, settings: object) -> None:
    request_of(world)
    vera = browser_of(world.vera)
    vera.get("/log/")
    sealed()
    from audit.log.keys import generate

    settings.PORTAL_LOG_PUBLIC_KEY = generate("breakglass.example/test")[1].strip()  # type: ignore[attr-defined]
    page = vera.get("/log/").content.decode()
    assert "The last checkpoint is not believed" in page
    assert "Signature checked" not in page
    with pytest.raises(NotVerified) as unproved:
        checkpoints.latest()
    for address in ("/log/checkpoint", "/log/0/proof"):
        answer = vera.get(address)
        assert (answer.status_code, answer.content.decode()) == (409, f"{unproved.value}\n")


def test_bytes_and_proof_hold_outside_of_the_portal(world: World) -> None:
    request = request_of(world)
    sealed()
    index, mo = index_of(request), browser_of(world.mo)
    body = mo.get(f"/log/{index}/bytes")
    assert body.content == bytes(SealedEntry.objects.get(pk=index).event.body)
    assert body.headers["Content-Disposition"] == f'attachment; filename="entry-{index}.json"'
    proof = mo.get(f"/log/{index}/proof").content
    found = verify_proof(parse_proof(proof), body.content, checkpoints.public_keys())
    assert (found.index, found.event_id) == (index, json.loads(body.content)["id"])
    page = mo.get(f"/log/{index}/").content.decode()
    assert body.content.decode() in page.replace("&quot;", '"').replace("&#x27;", "'")
    assert "Proved with the public key" in page
    assert [event.fields["page"] for event in named(["page.viewed"])] == [
        "the bytes of an entry",
        "the proof of an entry",
        "an entry of the log",
    ]


def test_what_the_pages_hand_out_is_proved_by_the_single_file(world: World, tmp_path: Path) -> None:
    request = request_of(world)
    sealed()
    index, mo = index_of(request), browser_of(world.mo)
    for part in ("bytes", "proof"):
        (tmp_path / part).write_bytes(mo.get(f"/log/{index}/{part}").content)
    bare = replace(parse_proof((tmp_path / "proof").read_bytes()), extra=None)
    (tmp_path / "bare").write_bytes(write_proof(bare))
    (tmp_path / "log.pub").write_text("".join(f"{key.text()}\n" for key in checkpoints.public_keys()))
    (tmp_path / "verify.pyz").write_bytes(single_file())

    def said(*words: str) -> tuple[int, str]:
        command = (sys.executable, "-I", "-S", "verify.pyz", "proof", *words, "--key-file", "log.pub")
        ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, env={})
        return ran.returncode, (ran.stdout + ran.stderr).splitlines()[-1]

    assert [said("proof"), said("bare", "--entry", "bytes")] == [(0, "PROVED."), (0, "PROVED.")]
    assert said("bare")[0] == 2


def test_personal_values_stand_beside_and_erased_ones_say_so(world: World) -> None:
    request = request_of(world)
    sealed()
    index, vera = index_of(request), browser_of(world.vera)
    page = vera.get(f"/log/{index}/").content.decode()
    assert request.reason in page
    assert page.count("Fits its hash") == 2
    event_id = Event.objects.get(name="request.made").pk
    PersonalValue.objects.filter(event_id=event_id, field="reason").delete()
    page = vera.get(f"/log/{index}/").content.decode()
    assert request.reason not in page
    assert "<em>erased</em>" in page
    assert page.count("Fits its hash") == 1
    assert "Proved with the public key" in page


def test_value_that_was_put_in_the_place_of_another_is_told(world: World) -> None:
    request = request_of(world)
    sealed()
    found = PersonalValue.objects.filter(event__case=str(request.pk), field="reason")
    salt = found.get().salt
    event_id = found.get().event_id
    found.delete()
    PersonalValue.objects.create(event_id=event_id, field="reason", salt=salt, value="All was well.")
    assert "Does not fit its hash" in browser_of(world.vera).get(f"/log/{index_of(request)}/").content.decode()


def test_log_takes_as_many_queries_for_few_entries_as_for_fifty(world: World) -> None:
    vera = browser_of(world.vera)
    vera.get("/log/")
    sealed()
    counts = []
    for asked in ("name=signin.opened", "all=1", "before=2", ""):
        with CaptureQueriesContext(connection) as captured:
            vera.get(f"/log/?{asked}")
        counts.append(len(captured))
    assert (counts[0], counts[2]) == (counts[1], counts[3])
