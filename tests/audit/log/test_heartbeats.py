"""The last heartbeat of each process."""

from typing import Any

import pytest

from audit.log import lateness
from audit.log.heartbeats import all_beats, beat, last_beat


@pytest.mark.django_db
def test_beat_replaces_the_one_before() -> None:
    beat("sealer", {"size": 1})
    first = all_beats()[0].at
    beat("gather")
    beat("sealer", {"size": 2})
    assert [(row.process, row.detail) for row in all_beats()] == [("gather", {}), ("sealer", {"size": 2})]
    assert all_beats()[1].at > first


@pytest.mark.django_db
def test_what_is_no_map_says_nothing_and_ends_no_look_at_what_is_late(settings: Any) -> None:
    """Every process may write every row."""
    settings.PORTAL_LOG_STORE = "/nowhere"
    said: Any = ["published"]
    for process in ("sealer", lateness.LOOKED):
        beat(process, said)
    assert lateness.run_due() == 0
    beat("sealer", said)
    last = last_beat("sealer")
    assert last is not None
    assert (last.detail, [row.detail for row in all_beats() if row.process == "sealer"]) == ({}, [{}])
