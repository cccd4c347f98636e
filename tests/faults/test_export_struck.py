"""EIO and ENOSPC at each file call of a pack's making, one by one: no pack, no event and no half file, and the next run makes it."""

import errno
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from audit.log.read import named, of_subject
from audit.packs import jobs
from audit.packs.actions import request_pack
from audit.packs.models import Pack
from tests.audit.facts.stream import at
from tests.audit.packs import told
from tests.counting import Count
from tests.worlds import World, actor, make_world

pytestmark = pytest.mark.django_db
QUICK = "<html><body><p>A pack</p></body></html>"


class Struck:
    """Counts the file calls that change something, and lets one of them fail."""

    def __init__(self, number: int, error: int) -> None:
        self.number, self.error, self.count = number, error, 0

    def _hit(self) -> None:
        self.count += 1
        if self.count == self.number:
            raise OSError(self.error, os.strerror(self.error))

    def opening(self, real: Callable[..., Any]) -> Callable[..., Any]:
        """``io.open``, where it is for writing; what was written fails as the disk is full."""

        def opened(file: Any, mode: str = "r", *rest: Any, **named: Any) -> Any:
            if set(mode) & set("wxa+"):
                self._hit()
            return real(file, mode, *rest, **named)

        return opened

    def calling(self, real: Callable[..., Any]) -> Callable[..., Any]:
        """Any other call."""

        def called(*given: Any, **named: Any) -> Any:
            self._hit()
            return real(*given, **named)

        return called

    @contextmanager
    def striking(self) -> Iterator[None]:
        """While the block runs."""
        with (
            mock.patch.object(io, "open", self.opening(io.open)),
            mock.patch.object(os, "fsync", self.calling(os.fsync)),
            mock.patch.object(os, "replace", self.calling(os.replace)),
            mock.patch.object(os, "mkdir", self.calling(os.mkdir)),
        ):
            yield


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """One page in place of fifty, drawn at once; all else is as it is."""
    monkeypatch.setattr("audit.packs.paper.filled", lambda *_, **__: QUICK)
    made = make_world()
    told.quarter().write()
    return made


def ask(world: World) -> Pack:
    return request_pack(
        by=actor(world.otto), start=at("07-01"), end=at("10-01"), systems=[str(world.system.pk)], frameworks=["soc2"],
        purpose="Yearly examination of controls",
    )  # fmt: skip


def struck(world: World, number: int, error: int) -> bool:
    """Make a pack with one call failing, look, and make it again without; whether there was such a call."""
    pack, before = ask(world), len(named(("pack.made",)))
    fault = Struck(number, error)
    with fault.striking():
        jobs.make(pack.pk)
    pack.refresh_from_db()
    hit = fault.count >= number
    if hit and pack.state != "made":
        assert len(named(("pack.made",))) == before
        assert _left(pack.file) == []
        assert [each.fields["code"] for each in of_subject(pack.log_subject, ["pack.put_off"])] == ["disk"]
        Pack.objects.filter(pk=pack.pk).update(next_try_at=None)
        assert jobs.make(pack.pk)
        pack.refresh_from_db()
    assert (pack.state, len(named(("pack.made",)))) == ("made", before + 1)
    assert pack.file.stat().st_size > 0
    return hit


def _left(place: Path) -> list[str]:
    return sorted(each.name for each in place.parent.glob(f"*{place.stem}*")) if place.parent.exists() else []


@pytest.mark.faults
@pytest.mark.parametrize("error", [errno.EIO, errno.ENOSPC])
def test_a_pack_struck_at_any_file_call_is_made_by_the_next_run(world: World, error: int, count: Count) -> None:
    number = 1
    while struck(world, number, error):
        number += 1
    count(f"{errno.errorcode[error]} at {number - 1} file calls of a pack")
    assert number > 5
