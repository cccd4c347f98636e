"""The example in the documentation is a channel that works."""

import json
import re
from pathlib import Path

import pytest
from django.conf import settings

from portal.notifications import channels
from portal.notifications.models import Alert
from portal.notifications.sending import send_due
from tests.portal.notifications.conftest import queue
from tests.worlds import World


def example() -> channels.Channel:
    page = (Path(settings.BASE_DIR) / "docs" / "developer" / "channels.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    names: dict[str, object] = {}
    exec(code, names)
    made = names["Pager"]
    assert isinstance(made, type)
    pager: channels.Channel = made()
    return pager


def test_documented_channel_sends_what_the_outbox_holds(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(channels.CHANNELS, "pager", example())
    file = Path(settings.PORTAL_DATA) / "pager.jsonl"
    file.unlink(missing_ok=True)
    alert = queue(world, "ines", over="pager")[0]
    assert send_due() == 1
    (line,) = [json.loads(each) for each in file.read_text().splitlines()]
    assert (line["key"], line["to"], line["subject"]) == (
        f"alert-{alert.pk}",
        "ines@example.org",
        "The target does not answer",
    )
    file.unlink()


def test_documented_channel_keeps_what_it_could_not_write(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(channels.CHANNELS, "pager", example())
    file = Path(settings.PORTAL_DATA) / "pager.jsonl"
    file.unlink(missing_ok=True)
    file.mkdir()
    queue(world, "ines", over="pager")
    assert (send_due(), Alert.objects.get().last_trouble) == (0, "IsADirectoryError")
    file.rmdir()


def test_channels_are_known_by_their_own_kind() -> None:
    assert {kind: each.kind for kind, each in channels.CHANNELS.items()} == {"mail": "mail", "webhook": "webhook"}
