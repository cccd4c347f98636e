"""Who held a sealed account when, however often it was held."""

import pytest
from django.db import transaction

from audit.log.append import Entry, append_many, process
from audit.sources.sealed import LAST_FEW, TOLERANCE_MS, held_at

pytestmark = pytest.mark.django_db
MINUTE = 60_000
TIMES = LAST_FEW * 3


def _key(number: int) -> str:
    return f"00000000-0000-0000-0000-{number:012}"


@pytest.fixture
def account() -> str:
    """Held each hour for half an hour, by another person each time."""
    account = _key(999_999)
    with transaction.atomic():
        append_many(entry for number in range(TIMES) for entry in _held(account, number))
    return account


def _held(account: str, number: int) -> list[Entry]:
    from_at = (number + 1) * 60 * MINUTE
    who = {"account_id": account, "system_id": _key(1), "person_id": _key(number), "grant_id": _key(number)}
    out, back = {**who, "from_at": from_at}, {**who, "to_at": from_at + 30 * MINUTE, "shown": True}
    return [
        Entry("sealed.checked_out", process("test"), out, case=_key(number), subject=f"sealed:{account}", at=from_at + 7),
        Entry("sealed.checked_in", process("test"), back, case=_key(number), subject=f"sealed:{account}", at=from_at + 30 * MINUTE),
    ]  # fmt: skip


@pytest.mark.parametrize("number", [0, 1, LAST_FEW, TIMES - 1])
def test_who_held_it_is_found_among_any_number_of_uses(account: str, number: int) -> None:
    from_at = (number + 1) * 60 * MINUTE
    whose = {
        name: getattr(held_at(account, from_at + at), "person_id", None)
        for name, at in {
            "long before": -20 * MINUTE, "just before": -TOLERANCE_MS, "meanwhile": 10 * MINUTE, "at its end": 30 * MINUTE, "afterwards": 31 * MINUTE,
        }.items()
    }  # fmt: skip
    mine = _key(number)
    assert whose == {
        "long before": None, "just before": mine, "meanwhile": mine, "at its end": mine, "afterwards": None
    }  # fmt: skip
