"""The mark of a grant on a target that gives each grant a login of its own."""

import re

_MARKER = re.compile(r"bg_([1-9][0-9]{0,17})")


def marker_for(number: int) -> str:
    """The login of grant ``number``; numbers are never used twice."""
    if number < 1:
        raise ValueError(f"Grants are numbered from 1, not {number}.")
    return f"bg_{number}"


def number_of(login: str) -> int | None:
    """The number of the grant that a login names, or None where it is no marker."""
    found = _MARKER.fullmatch(login)
    return int(found[1]) if found else None
