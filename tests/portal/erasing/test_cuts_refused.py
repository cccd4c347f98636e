"""A cut that the sealer refuses to seal ends in words, nothing of it is carried out later, and another can be proposed."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections, transaction

from audit.log.append import process
from audit.log.cuts import minimum_index
from audit.log.cutting import why_refused
from audit.log.heartbeats import beat
from audit.log.locks import Lock, until_commit
from audit.log.read import named
from audit.log.sealer import MOST_REASONS, Sealer
from portal.erasing import carrying_cuts, cutting
from portal.erasing.models import Cut
from portal.erasing.refused_cuts import TURNED_BACK, turn_back
from portal.errors import WrongState
from tests.audit.log.logged import run_signer, sealed
from tests.browsing import browser_of
from tests.portal.erasing import old_log
from tests.portal.erasing.old_log import THEN, WHY, approved, below, publish
from tests.servers import wait_until
from tests.worlds import World, actor

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("eraser", "old")]
world, old = old_log.world, old_log.old  # fixtures
LONGER = (
    f"It cuts what must be kept until {datetime.fromtimestamp(THEN // 1000, UTC) + timedelta(days=3100):%-d %b %Y}."
)
WAITING = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


@pytest.fixture
def sealer() -> Sealer:
    return Sealer("default", run_signer(), threading.Event())


def turn(sealer: Sealer, rounds: int = 2) -> None:
    for _ in range(rounds):
        sealer._seal(connection)
    sealer._next_beat = 0
    sealer._beat(connection)


@pytest.fixture
def refused(world: World, sealer: Sealer, settings: Any) -> Cut:
    """Said by the portal; the sealer keeps entries for longer."""
    cut = approved(world)
    carrying_cuts.run_due()
    mine = settings.PORTAL_RETENTION
    settings.PORTAL_RETENTION = mine | {"entries": 3100}
    turn(sealer)
    settings.PORTAL_RETENTION = mine
    return cut


def test_it_ends_in_words_and_no_sealer_takes_it_any_more(
    world: World, refused: Cut, sealer: Sealer, tmp_path: Path
) -> None:
    held = below(256)
    assert carrying_cuts.run_due() == 1
    refused.refresh_from_db()
    assert (refused.state, refused.said_at, refused.trouble) == ("kept", None, TURNED_BACK.format(why=LONGER))
    (declined,) = named(["cut.declined"])
    assert (declined.by, declined.fields["cut_id"], declined.fields["why"]) == (
        "process:eraser",
        str(refused.pk),
        LONGER,
    )
    page = browser_of(world.otto).get("/retention/").content.decode()
    assert (page.count(LONGER), page.count("Said in the log")) == (1, 0)
    sealer.refused.clear()  # as every ten minutes
    turn(sealer)
    assert (list(sealer.refused.values()), minimum_index(), below(256)) == (["log.cut: It was declined."], 0, held)
    again = approved_past_it(world, sealer)
    for _ in range(2):
        carrying_cuts.run_due()
        turn(sealer)
        publish(tmp_path / "log")
    again.refresh_from_db()
    assert (again.state, minimum_index()) == ("cut", 256)


def approved_past_it(world: World, sealer: Sealer) -> Cut:
    cut = cutting.propose(by=actor(world.pia), minimum=256, reason=WHY)
    turn(sealer)
    cutting.approve(by=actor(world.quinn), cut=cut)
    turn(sealer)
    return cut


def test_the_reason_against_a_cut_is_said_however_much_else_was_refused_before(refused: Cut, sealer: Sealer) -> None:
    sealer.refused |= {-number: "There is no event." for number in range(1, MOST_REASONS + 2)}
    turn(sealer)
    assert why_refused(refused.log_subject) == LONGER


@pytest.mark.parametrize(
    "detail",
    [{}, {"against": {"0": "log.cut: It was declined."}}, {"against": 7}, ["against"]],
    ids=["nothing", "another", "a number", "a list"],
)
def test_one_that_is_not_refused_waits(world: World, detail: Any) -> None:
    cut = approved(world)
    carrying_cuts.run_due()
    beat("sealer", detail)
    assert why_refused(cut.log_subject) == ""
    carrying_cuts.run_due()
    assert (Cut.objects.get().state, named(["cut.declined"])) == ("cutting", [])


def test_one_that_is_sealed_after_all_is_carried_out(refused: Cut, sealer: Sealer, tmp_path: Path) -> None:
    """The sealer's settings were mended, and it asked again, before the portal read what it had said."""
    sealed(0)
    with pytest.raises(WrongState):
        turn_back(by=process("test"), cut=refused, why=LONGER)
    publish(tmp_path / "log")
    carrying_cuts.run_due()
    refused.refresh_from_db()
    assert (refused.state, minimum_index(), named(["cut.declined"])) == ("cut", 256, [])


def test_who_turns_it_back_waits_for_whoever_seals_it(refused: Cut) -> None:
    met: list[type[Exception]] = []

    def work() -> None:
        try:
            turn_back(by=process("test"), cut=refused, why=LONGER)
        except WrongState as error:
            met.append(type(error))
        finally:
            connections.close_all()

    thread = threading.Thread(target=work)
    with transaction.atomic():
        until_commit(Lock.SEALING)
        thread.start()
        with connection.cursor() as cursor:
            wait_until(lambda: cursor.execute(WAITING).fetchone() == (1,), "it to wait for the sealing")
        assert Cut.objects.select_for_update(nowait=True).get(pk=refused.pk), "which holds up nobody meanwhile"
        sealed(0)
    thread.join()
    refused.refresh_from_db()
    assert (met, refused.state, minimum_index()) == ([WrongState], "cutting", 256)
