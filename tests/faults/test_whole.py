"""The house in which other tests walk: every process real, each can be taken away and brought back."""

from tests.faults.whole import NAMES, House


def test_house_has_every_process_and_lets_people_in(house: House) -> None:
    assert [name for name in NAMES if not house.lives(name)] == []
    assert house.visitor("ann").get("/requests/").status == 200
    assert house.on_target("SELECT count(*) FROM shop.orders") == [(4000,)]


def test_part_that_is_killed_stays_down_until_it_is_started(house: House) -> None:
    house.kill("gather", "mail sink")
    assert (house.lives("gather"), house.lives("mail sink"), house.lives("web")) == (False, False, True)
    house.start("gather", "mail sink")
    assert (house.lives("gather"), house.lives("mail sink")) == (True, True)
