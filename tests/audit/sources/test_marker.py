"""The marker of a grant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.sources.postgresql import marker as postgresql
from audit.sources.simulated import marker as simulated


@given(st.integers(1, 10**17))
def test_marker_names_its_number(number: int) -> None:
    for kind in (postgresql, simulated):
        assert kind.number_of(kind.marker_for(number)) == number


@pytest.mark.parametrize(
    "login", ["bg_0", "bg_", "bg_07", "bg_7 ", "BG_7", "bg_portal", "bg_7\n", "xbg_7", "bg_\u0667", ""]
)
def test_other_logins_are_no_markers(login: str) -> None:
    assert postgresql.number_of(login) is None


def test_numbers_begin_with_one() -> None:
    with pytest.raises(ValueError, match="numbered from 1"):
        postgresql.marker_for(0)
