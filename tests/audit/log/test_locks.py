"""Work that one process does at a time."""

from pathlib import Path

import psycopg
import pytest
from django.db import connection

from audit.log.locks import Lock, alone
from portal.embedded.state import CHECKOUT
from tests.servers import superuser_url


@pytest.mark.django_db
def test_one_holds_a_lock_others_are_told_and_other_work_goes_on() -> None:
    with psycopg.connect(superuser_url(str(connection.settings_dict["NAME"])), autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [int(Lock.BACKUP)])
        found = {}
        for each in Lock:
            with alone(each) as mine:
                found[each] = mine
        assert found == {each: each is not Lock.BACKUP for each in Lock}
        other.execute("SELECT pg_advisory_unlock(%s)", [int(Lock.BACKUP)])
        with alone(Lock.BACKUP) as mine:
            assert mine


@pytest.mark.django_db
def test_a_lock_is_let_go_after_an_error() -> None:
    with pytest.raises(ValueError, match="broken"), alone(Lock.CHECK):
        raise ValueError("broken")
    with psycopg.connect(superuser_url(str(connection.settings_dict["NAME"])), autocommit=True) as other:
        assert other.execute("SELECT pg_try_advisory_lock(%s)", [int(Lock.CHECK)]).fetchone() == (True,)


def test_numbers_stand_in_the_table_alone() -> None:
    beside = [path for path in sorted((CHECKOUT / "audit").rglob("*.py")) if "6C6F67" in path.read_text().upper()]
    assert beside == [Path(CHECKOUT / "audit/log/locks.py")]
