"""Stored sentences as people read them."""

import pytest

from audit.moments import dates


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("Came back at 2026-11-04 20:01:00.120 UTC.", "Came back at 4 Nov 2026, 20:01:00 UTC."),
        ("at 2026-11-13 20:01:00.000 and at 2026-11-13 20:27:28.000 UTC.", "at 13 Nov 2026, 20:01:00 UTC and at 13 Nov 2026, 20:27:28 UTC."),
        ("2026-13-41 20:01:00", "2026-13-41 20:01:00"),
        ("INC-2026-11-13", "INC-2026-11-13"),
    ],
)  # fmt: skip
def test_times_in_sentences_read_as_on_every_page(stored: str, shown: str) -> None:
    assert dates(stored) == shown
