"""The time that an authority puts under a pack, and the one of the log that a pack carries; openssl verifies both."""

import hashlib
import subprocess
from pathlib import Path
from typing import Any

import pytest

from audit.log.checkpoints import public_keys
from audit.log.examination import examine
from audit.log.models import Timestamp
from audit.log.read import named
from audit.log.timestamps import taking
from audit.packs import timestamps
from audit.packs.actions import request_pack
from audit.packs.keeping import keep
from audit.packs.models import Pack
from audit.packs.position import as_files, newest
from audit.packs.printing import filled
from portal.clock import now
from tests.audit.cases.written import hire_auditor
from tests.audit.facts.stream import at
from tests.audit.log.logged import sealed
from tests.authority import authority_in, serving
from tests.browsing import browser_of
from tests.worlds import World, actor, make_world

PDF = b"%PDF-1.7 a pack"
PAGE = Path(__file__).parents[3] / "docs" / "auditor" / "without-us.md"
pytestmark = pytest.mark.django_db


def made(world: World) -> Pack:
    """A pack whose file lies there; what is in it is nobody's business here."""
    pack = request_pack(
        by=actor(world.vera), start=at("07-01"), end=at("10-01"), systems=[str(world.system.pk)], frameworks=["soc2"],
        purpose="Yearly examination of controls",
    )  # fmt: skip
    keep(pack.file, PDF)
    pack.made_at, pack.log_size, pack.sha256 = now(), newest().size, hashlib.sha256(PDF).hexdigest()
    pack.save()
    return pack


def of_the_page(words: str) -> str:
    """The command of the page "Check us without us" that begins so."""
    return next(part for part in PAGE.read_text().split("`") if part.startswith(words))


def verified(folder: Path, data: str, answer: str) -> bool:
    """As the page prints it."""
    command = of_the_page("openssl ts -verify -data pack.pdf").replace("pack.pdf", data).replace("pack.tsr", answer)
    return subprocess.run(command, shell=True, cwd=folder, capture_output=True, check=False).returncode == 0


def test_an_authority_that_fails_is_asked_once_and_a_pack_whose_file_is_gone_holds_up_no_other(
    settings: Any, tmp_path: Path
) -> None:
    settings.PORTAL_DATA = tmp_path
    world = make_world()
    hire_auditor(world)
    sealed(3)
    gone, *packs = (made(world) for _ in range(3))
    gone.file.unlink()
    with serving(authority_in(tmp_path)) as authority:
        settings.PORTAL_TIMESTAMP_URL, settings.PORTAL_TIMESTAMP_ROOTS = authority.address, str(authority.root)
        authority.answers = False
        assert (timestamps.run_due(), authority.knocks) == (0, 1)
        authority.answers = True
        assert (timestamps.run_due(), authority.knocks) == (2, 3)
    assert [timestamps.of_pack(each) is not None for each in (gone, *packs)] == [False, True, True]


def test_a_pack_carries_the_last_time_of_the_log_and_gets_one_of_its_own(settings: Any, tmp_path: Path) -> None:
    settings.PORTAL_DATA = tmp_path
    world = make_world()
    hire_auditor(world)
    sealed(3)
    assert [each.name for each in as_files(newest())] == ["checkpoint.txt", "log-public-keys.txt"]
    assert timestamps.run_due() == 0, "no authority is set"
    with serving(authority_in(tmp_path)) as authority:
        settings.PORTAL_TIMESTAMP_URL, settings.PORTAL_TIMESTAMP_ROOTS = authority.address, str(authority.root)
        assert (taking.run_due(), timestamps.run_due()) == (1, 0)
        pack = made(world)
        authority.answers = False
        assert timestamps.run_due() == 0
        authority.answers = True
        assert (timestamps.run_due(), timestamps.run_due()) == (1, 0)
    (event,) = named(["pack.timestamped"])
    assert (event.fields["pack_id"], event.fields["sha256"]) == (str(pack.pk), pack.sha256)
    printed = filled("proof.html", {"proof": newest(), "attachments": (), "signed": True})
    assert f"CN=Authority of times: the first {newest().stamp.size} entries were there on" in printed  # type: ignore[union-attr]
    for each in as_files(newest())[-2:]:
        (tmp_path / each.name).write_bytes(bytes(each.data))
    browser = browser_of(world.vera)
    assert "CN=Authority of times" in browser.get(f"/packs/{pack.pk}/").content.decode()
    (tmp_path / "pack.tsr").write_bytes(browser.get(f"/packs/{pack.pk}/timestamp").content)
    (tmp_path / "pack.pdf").write_bytes(pack.file.read_bytes())
    (tmp_path / "authority.pem").write_bytes(authority.root.read_bytes())
    assert verified(tmp_path, "timestamped-checkpoint.txt", "timestamp.tsr")
    assert verified(tmp_path, "pack.pdf", "pack.tsr")
    assert not verified(tmp_path, "pack.pdf", "timestamp.tsr")
    report = examine(public_keys(), roots=taking.roots())
    assert (report.timestamps, report.wrong_timestamps, Timestamp.objects.count()) == (2, [], 2)
    for name in ("ben", "zoe"):
        assert browser_of(world.people[name]).get(f"/packs/{pack.pk}/timestamp").status_code == 404
