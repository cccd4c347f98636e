"""After a test that committed nothing is left, and no room in which later rows would stand out of their order."""

import psycopg
import pytest
from django.db import connection

from tests import emptying
from tests.audit.log.logged import sealed
from tests.servers import superuser_url
from tests.worlds import make_world, request_of


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("large", [emptying.LARGE, 0], ids=["deleted", "truncated"])
def test_no_table_has_rows_or_room(monkeypatch: pytest.MonkeyPatch, large: int) -> None:
    monkeypatch.setattr(emptying, "LARGE", large)
    sealed(3)
    request_of(make_world())
    assert {"audit_sealed_entry", "portal_person", "portal_accessrequest"} <= full_ones()
    emptying._emptied(None)
    assert full_ones() == set()


def full_ones() -> set[str]:
    with psycopg.connect(superuser_url(str(connection.settings_dict["NAME"]))) as superuser:
        return {name for name, _ in superuser.execute(emptying.FULL_ONES.encode())}
