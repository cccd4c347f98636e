"""The last heartbeat of each process."""

import pytest

from audit.log.heartbeats import all_beats, beat


@pytest.mark.django_db
def test_beat_replaces_the_one_before() -> None:
    beat("sealer", {"size": 1})
    first = all_beats()[0].at
    beat("gather")
    beat("sealer", {"size": 2})
    assert [(row.process, row.detail) for row in all_beats()] == [("gather", {}), ("sealer", {"size": 2})]
    assert all_beats()[1].at > first
