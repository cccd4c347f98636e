"""docs/failover.md, step by step as printed: a database that was set back, a publication that broke off, and what nobody can bring back."""

import re
import shlex
import subprocess
import time
import uuid
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from audit.log import tiles
from audit.log.append import Entry, append_many
from audit.log.checking import StoreSource
from audit.log.checkpoint import Checkpoint, parse_checkpoint, verify_checkpoint
from audit.log.clearing import NothingPublished, beyond, is_covered, move_away
from audit.log.examination import examine
from audit.log.forgetting import NotSignedAsLost, forget
from audit.log.models import SealedEntry
from audit.log.note import write_note
from audit.log.publishing import SetBack, publish_once
from audit.log.read import named, of_case
from audit.log.sealing import SealingError, last_signed, seal_once
from audit.log.signing import sign_checkpoint
from audit.log.stores import Overtaken, StoreUnavailable
from audit.log.stores.directory import DirectoryStore
from audit.log.tile_paths import parse_path
from audit.log.tiles import TileName
from audit.log.verify.__main__ import main as verify
from portal.clock import now
from portal.eligibility.models import RoleAssignment
from portal.grants import authorising, opening, permits
from portal.lost import actions
from portal.lost.models import LostRange
from portal.policy.rules import Policy
from tests.audit.log.backup.places import Place
from tests.audit.log.backup.places import place as place_of_backups
from tests.audit.log.logged import TEST, appended, doctored, run_signer, sealed
from tests.audit.log.test_recovery import set_back
from tests.faults.programs import MANAGE, environment_of
from tests.worlds import World, actor, make_world

PAGE = Path(__file__).parents[3] / "docs" / "failover.md"
STEP = re.compile(r"^(\d+)\. .*?(?=^\d+\. |^\*\*Whoever)", re.DOTALL | re.MULTILINE)
COMMAND = re.compile(r"^ *(python .*)$", re.MULTILINE)
PUBLISHED, SIGNED, STORED = 300, 520, 290


@pytest.fixture
def place(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The environment of the page: what is published, and what the sealer remembers."""
    settings.PORTAL_LOG_STORE = str(tmp_path / "log")
    settings.SEALER_DATABASE_URL = ""  # in this process; one command is run as the sealer's own
    monkeypatch.setenv("PORTAL_LOG_SEEN_FILE", str(tmp_path / "seen"))
    return tmp_path


def steps() -> dict[int, list[str]]:
    """The commands of each step of the page."""
    return {int(step[1]): COMMAND.findall(step[0]) for step in STEP.finditer(PAGE.read_text())}


def run(command: str, place: Path, *, own_process: bool = False) -> str:
    """One of them, with the page's capital words in their places."""
    words = {"STORE": place / "log", "SEEN": place / "seen", "KEPT": place / "kept", "MAILS": place / "mails"}
    words |= {"BACKUPS": place / "backups", "IDENTITY": place / "backup.identity"}
    words["KEY"] = run_signer().verifier().text()  # type: ignore[assignment]  # a text
    python, *rest = [str(words.get(word, word)) for word in shlex.split(command)]
    assert python == "python"
    if rest[:2] == ["-m", "audit.log.verify"]:
        return "WHOLE" if verify(rest[2:]) == 0 else "DAMAGED"
    assert rest[0] == "manage.py"
    if own_process:
        own = {"PORTAL_LOG_STORE": str(place / "log"), "PORTAL_LOG_SEEN_FILE": str(place / "seen")}
        return subprocess.run(
            [*MANAGE, *rest[1:]], env=environment_of("sealer") | own, capture_output=True, text=True, check=True
        ).stdout
    out = StringIO()
    call_command(*rest[1:], stdout=out)
    return out.getvalue()


def publish(place: Path) -> None:
    publish_once(connection, DirectoryStore(place / "log"), [run_signer().verifier()])


def remember(place: Path) -> bytes:
    """What is stored last becomes what the sealer remembers."""
    last = last_signed(connection, [run_signer().verifier()])
    assert last is not None
    (place / "seen").write_bytes(write_note(last.signed.note))
    return (place / "seen").read_bytes()


class Breaking(DirectoryStore):
    """Is killed before it moves the head."""

    def move_head(self, before: bytes | None, after: bytes) -> None:  # noqa: ARG002 - as its parent's
        raise StoreUnavailable("Killed.")


def lose(place: Path, *, bundles: bool, backed_up: Place | None = None) -> None:
    """300 entries are published, 520 were signed and remembered, their publication broke off; the database falls back to 290."""
    sealed(STORED)
    edge = _tiles()
    sealed(PUBLISHED - STORED)
    publish(place)
    if backed_up:
        backed_up.backup()
    sealed(SIGNED - PUBLISHED)
    remember(place)
    with pytest.raises(StoreUnavailable):
        publish_once(connection, Breaking(place / "log"), [run_signer().verifier()])
    if not bundles:
        (place / "log/tile/entries/002.p/8").unlink()
    set_back(STORED)
    doctored("DELETE FROM audit_tile")
    for row in edge:
        doctored("INSERT INTO audit_tile (level, index, hashes) VALUES (%s, %s, %s)", *row)


def _tiles() -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT level, index, hashes FROM audit_tile")
        return list(cursor.fetchall())


def seal(place: Path) -> int:
    """As the sealer does after its start: with what it remembers."""
    known = verify_checkpoint(parse_checkpoint((place / "seen").read_bytes()), [run_signer().verifier()])
    return seal_once(connection, run_signer(), time.time_ns() // 1_000_000, known=known)


def sign(world: World, place: Path, ids: list[uuid.UUID]) -> LostRange:
    """Step 8, by Pia and Quinn."""
    RoleAssignment.objects.filter(role="administrator").update(system=None)
    row = actions.report(
        by=actor(world.pia), from_at=now() - timedelta(minutes=5), to_at=now() - timedelta(minutes=1), reason="The primary burned.",
        checkpoint=(place / "seen").read_text(), acknowledged=ids,
    )  # fmt: skip
    return actions.sign(by=actor(world.quinn), lost=row)


def break_the_glass(known: World) -> None:
    """While nothing is sealed, a bypass waits where the policy asks for the seal, and opens where it prefers to open unsealed, on record."""
    states = {}
    for at_once, slug in enumerate(("waits", "opens")):
        world = make_world(slug=slug, policy=Policy(open_unsealed=at_once), people=known.people)
        asked = authorising.bypass(by=actor(world.ann), privilege=world.privilege, asked=world.asked("bypass"))
        grant = opening.run(asked.pk)
        activated = of_case(str(grant.request_id), ["grant.activated"])
        states[slug] = (grant.state, [each.fields["unsealed"] for each in activated])
    assert states == {"waits": ("opening", []), "opens": ("active", [1])}


@pytest.mark.django_db(transaction=True)
def test_each_command_of_the_page_in_its_order_ends_the_stop_and_says_what_is_lost(
    place: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    backups = place_of_backups(place)
    settings.PORTAL_BACKUP_PUBLIC_KEY = backups.signer.verifier().text()
    monkeypatch.setattr(permits, "SEAL_PATIENCE_S", 0.2)
    lose(place, bundles=False, backed_up=backups)
    told, known = uuid.uuid4(), str(SealedEntry.objects.values_list("event_id", flat=True)[0])
    (place / "mails").write_text(f"See https://portal.example/requests/{told}/ and entry {known}.\n")
    do = steps()
    assert {number for number, commands in do.items() if commands} == {3, 4, 5, 6, 7, 9, 10, 12}
    said: dict[int, list[str]] = {}
    for number, commands in do.items():
        if number == 5:
            with pytest.raises(CommandError, match="missing"):
                run(commands[0], place)
            continue
        if number == 8:
            appended(1)
            with pytest.raises(SealingError, match="has signed 520 entries, and only 300 are stored"):
                seal(place)
            with pytest.raises(CommandError, match=r"No event log\.range_lost"):
                run(do[9][0], place)
            sign(world := make_world(), place, [told])
            break_the_glass(world)
            with pytest.raises(SealingError, match="has signed 520 entries"):
                seal(place)
        if number == 10:
            assert examine([run_signer().verifier()]).personal_lost == 20
        if number == 11:
            assert seal(place) > 0
            publish(place)
        said[number] = [run(command, place, own_process=number == 9) for command in commands]
    assert said[3] == ["WHOLE"]
    assert said[4][0].startswith("Entries 290 to 299 were brought back, of ")
    beyond_it = ["tile/0/001", "tile/0/002.p/8", "tile/1/000.p/2", "tile/entries/001", "tile/entries/002.p/8"]
    gone = [each for each in beyond_it if each != "tile/entries/002.p/8"]
    listed = "\n".join([*gone, "4 resources lie beyond the published 300 entries.\n"])
    assert said[6] == [listed, listed + f"They were moved to {place / 'kept'}.\n"]
    assert [(place / "kept" / each).is_file() for each in gone] == [True] * 4
    assert said[7] == [f"{told}\n"]
    assert said[9] == [f"The sealer goes on after 300 entries. What it remembered is kept beside {place / 'seen'}.\n"]
    assert (place / "seen.lost-520").read_text().splitlines()[1] == "520"
    assert said[10][0].startswith("20 personal values came back, from ")
    assert run(do[3][0], place) == "WHOLE"
    report = examine([run_signer().verifier()], published=StoreSource(str(place / "log")))
    assert (report.sentences(), report.personal_lost) == ([], 0)
    names = SealedEntry.objects.filter(index__gte=300, event__name__startswith="log.").order_by("index")
    assert list(names.values_list("event__name", flat=True)) == [
        "log.recovered",
        "log.loss_reported",
        "log.range_lost",
        "log.values_restored",
    ]
    (lost,) = named(["log.range_lost"])
    assert (lost.fields["first"], lost.fields["last"], lost.fields["acknowledged"]) == (300, 519, [str(told)])
    assert lost.index is not None


@pytest.mark.django_db(transaction=True)
def test_what_a_broken_publication_left_comes_back_under_the_checkpoint_that_the_sealer_remembers(place: Path) -> None:
    lose(place, bundles=True)
    do = steps()
    run(do[4][0], place)
    assert run(do[5][0], place).startswith("Entries 300 to 519 were brought back, of ")
    with pytest.raises(CommandError, match="nothing is to be forgotten"):
        run(do[9][0], place)
    assert seal(place) == 2  # that it came back, twice
    publish(place)
    assert run(do[3][0], place) == "WHOLE"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("fault", ["another checkpoint", "other indexes", "published more", "nothing remembered"])
def test_the_sealer_forgets_nothing_that_was_not_signed_as_lost(place: Path, fault: str) -> None:
    sealed(5)
    keys = [run_signer().verifier()]
    sealed(2)
    remember(place)
    if fault == "published more":
        publish(place)
    set_back(5)
    doctored("UPDATE audit_tile SET hashes = substr(hashes, 1, 160)")
    sign(make_world(), place, [])
    before = (place / "seen").read_bytes()
    if fault == "another checkpoint":
        before = sign_checkpoint(Checkpoint(run_signer().name, 7, bytes(32)), run_signer())
    elif fault == "other indexes":
        before = sign_checkpoint(Checkpoint(run_signer().name, 8, bytes(32)), run_signer())
    (place / "seen").write_bytes(before)
    if fault == "nothing remembered":
        (place / "seen").unlink()
    store = DirectoryStore(place / "log")
    with pytest.raises((NotSignedAsLost, SetBack)):
        forget(connection, place / "seen", store, keys)
    assert (place / "seen").exists() == (fault != "nothing remembered")
    assert fault == "nothing remembered" or (place / "seen").read_bytes() == before


@pytest.mark.django_db(transaction=True)
def test_forged_words_of_a_loss_let_nothing_be_forgotten_and_stop_no_true_ones(place: Path) -> None:
    sealed(5)
    keys = [run_signer().verifier()]
    sealed(2)
    remember(place)
    set_back(5)
    doctored("UPDATE audit_tile SET hashes = substr(hashes, 1, 160)")
    true = (place / "seen").read_text()
    said = {"lost_id": "l", "from_at": 1, "to_at": 2, "first": 5, "last": 6, "reason": "Forged.", "acknowledged": []}
    one, two = {"asked_by": "a", "approved_by": "a"}, {"asked_by": "a", "approved_by": "b"}
    with transaction.atomic():
        append_many(
            Entry("log.range_lost", TEST, said | rest)
            for rest in (
                one | {"checkpoint": true},
                two | {"checkpoint": "garbage"},
                two | {"checkpoint": f"{true}{'x' * 9}"},
                two,
            )
        )
    with pytest.raises(NotSignedAsLost):
        forget(connection, place / "seen", None, keys)
    sign(make_world(), place, [])
    assert forget(connection, place / "seen", None, keys).size == 5


@pytest.mark.django_db
def test_what_the_head_covers_is_never_moved_away(place: Path) -> None:
    store, keys = DirectoryStore(place / "log"), [run_signer().verifier()]
    with pytest.raises(NothingPublished):
        beyond(store, keys)
    sealed(300)
    publish(place)
    covered = store.listed("tile")
    store.put({"tile/0/001": b"x", "tile/entries/001.p/45": b"y", "tile/strange": b"z"})
    found = beyond(store, keys)
    assert (found.paths, found.strange) == (["tile/0/001", "tile/entries/001.p/45"], ["tile/strange"])
    moved = replace(found, head=replace(found.head, data=b"an older head"))
    with pytest.raises(Overtaken):
        move_away(store, moved, place / "kept")
    move_away(store, found, place / "kept")
    assert store.listed("tile") == sorted([*covered, "tile/strange"])
    assert [(place / "kept" / each).read_bytes() for each in found.paths] == [b"x", b"y"]


@given(
    st.sampled_from([None, 0, 1, 2, 3]),
    st.integers(0, 2**33),
    st.integers(1, 256),
    st.sampled_from([-1, 0, 1, 255, 256, -256]),
)
def test_a_tile_is_covered_exactly_where_the_tree_has_it_in_that_width(
    level: int | None, index: int, width: int, beside: int
) -> None:
    tile = TileName(level, index, width)
    size = max(0, index * tiles.WIDTH + width + beside) << (tiles.HEIGHT * (level or 0))
    assert is_covered(tile, size) == (tiles.width(level or 0, index, size) >= width)
    assert parse_path(tiles.path(tile)) == tile
