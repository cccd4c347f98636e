"""What every connector promises, run against each kind alike."""

from collections.abc import Iterator

import pytest

from portal.connectors import for_kind
from portal.connectors.base import Closing, Connector, ForeignMarker, Gone, Opened, Opening, Snapshot, Step, Unreachable
from portal.connectors.postgresql import PostgreSQL
from portal.connectors.simulated import Simulated
from tests.targets.connectors.benches import Bench, PostgresBench, SimulatedBench, silent_listener
from tests.targets.connectors.postgresql_target import closing_of, now_ms

KINDS: dict[str, Connector] = {"postgresql": PostgreSQL(), "simulated": Simulated()}
OPEN = [(kind, step) for kind, each in KINDS.items() for step in each.open_steps]
CLOSE = [(kind, step) for kind, each in KINDS.items() for step in each.close_steps]


class Killed(Exception):
    """The process ended here."""


@pytest.fixture(params=list(KINDS))
def bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A bench of the kind; on PostgreSQL the newest version."""
    if request.param == "simulated":
        yield SimulatedBench(tmp_path_factory.mktemp("simulated"))
        return
    with silent_listener() as listener:
        on_server = PostgresBench(request.getfixturevalue("newest"), listener)
        yield on_server
        for session in on_server.sessions:
            session.close()


def opened(bench: Bench) -> tuple[Snapshot, Opening, Closing]:
    """An open grant and what was there before."""
    before, opening = bench.connector.prepare(bench.target), bench.opening()
    return before, opening, closing_of(opening, bench.connector.open(bench.target, opening))


def end(bench: Bench, before: Snapshot, closing: Closing) -> None:
    """Close and see that nothing is left."""
    bench.connector.close(bench.target, closing)
    result = bench.connector.read_back(bench.target, closing, before=before)
    assert (result.clear, result.remainders, result.drift) == (True, (), ())
    assert not bench.can_log_in(closing.login)


def test_kind_is_found_by_its_name(bench: Bench) -> None:
    assert type(for_kind(bench.target.kind)) is type(bench.connector)


def test_open_twice_is_open_once(bench: Bench) -> None:
    before, opening, closing = opened(bench)
    again = bench.connector.open(bench.target, opening)
    assert again.marker_ref == closing.marker_ref
    assert bench.can_log_in(opening.login)
    end(bench, before, closing)


def test_close_twice_is_closed_once(bench: Bench) -> None:
    before, _, closing = opened(bench)
    end(bench, before, closing)
    end(bench, before, closing)


def test_close_what_was_never_opened_does_nothing(bench: Bench) -> None:
    closed = bench.connector.close(bench.target, bench.opening().closing())
    assert (closed.marker_ref, closed.sessions_ended, closed.removed, closed.remainders) == ("", 0, True, ())


def test_close_without_knowing_the_marker_finds_it(bench: Bench) -> None:
    before, opening, closing = opened(bench)
    closed = bench.connector.close(bench.target, opening.closing())
    assert closed.marker_ref == closing.marker_ref
    assert bench.connector.read_back(bench.target, opening.closing(), before=before).clear


def test_close_ends_the_sessions_that_run(bench: Bench) -> None:
    before, opening, closing = opened(bench)
    acts = bench.start_session(opening.login)
    assert acts()
    assert [each.statement for each in bench.connector.running(bench.target, closing)] == ["SELECT 1 FROM billing"]
    assert bench.connector.close(bench.target, closing).sessions_ended == 1
    assert not acts()
    assert bench.connector.running(bench.target, closing) == ()
    assert bench.connector.read_back(bench.target, closing, before=before).clear


def test_read_back_of_what_is_open_is_not_clear(bench: Bench) -> None:
    before, _, closing = opened(bench)
    result = bench.connector.read_back(bench.target, closing, before=before)
    assert not result.clear
    assert "login" in [each.kind for each in result.remainders]
    end(bench, before, closing)


def test_target_that_lies_about_closing_is_found_out(bench: Bench) -> None:
    before, _, closing = opened(bench)
    bench.connector.close(bench.target, closing)
    bench.undo_close(closing)
    result = bench.connector.read_back(bench.target, Closing(**{**closing.__dict__, "marker_ref": ""}), before=before)
    assert not result.clear
    bench.connector.close(bench.target, Closing(**{**closing.__dict__, "marker_ref": ""}))


def test_extend_moves_the_end_and_nothing_else(bench: Bench) -> None:
    before, opening, closing = opened(bench)
    later = opening.expires_at_ms + 60_000
    bench.connector.extend(bench.target, closing, expires_at_ms=later)
    listed = bench.connector.list_access(bench.target, ["billing_admin"]).logins
    assert [(x.expires_at_ms, x.ref) for x in listed if x.login == opening.login] == [(later, closing.marker_ref)]
    end(bench, before, closing)


def test_extend_after_the_end_is_refused(bench: Bench) -> None:
    before, opening, closing = opened(bench)
    end(bench, before, closing)
    with pytest.raises(Gone):
        bench.connector.extend(bench.target, closing, expires_at_ms=opening.expires_at_ms + 60_000)
    assert not bench.can_log_in(opening.login)


def test_list_shows_each_grant_with_its_mark(bench: Bench) -> None:
    before, opening, closing = opened(bench)
    listing = bench.connector.list_access(bench.target, ["billing_admin"])
    assert [(x.comment, x.can_login) for x in listing.logins if x.login == opening.login] == [(opening.comment, True)]
    assert len(listing.sha256) == 64
    assert listing.sha256 == bench.connector.list_access(bench.target, ["billing_admin"]).sha256
    end(bench, before, closing)
    after = bench.connector.list_access(bench.target, ["billing_admin"])
    assert [each for each in after.logins if each.login == opening.login] == []
    assert after.sha256 != listing.sha256


def test_login_of_somebody_else_is_never_touched(bench: Bench) -> None:
    opening = bench.opening()
    bench.add_foreign(opening.login)
    with pytest.raises(ForeignMarker):
        bench.connector.open(bench.target, opening)
    with pytest.raises(ForeignMarker):
        bench.connector.close(bench.target, opening.closing())


def test_two_grants_do_not_end_each_other(bench: Bench) -> None:
    before, _, closing = opened(bench)
    _, other, other_closing = opened(bench)
    acts = bench.start_session(other.login)
    end(bench, before, closing)
    assert acts()
    assert bench.can_log_in(other.login)
    bench.connector.close(bench.target, other_closing)


def test_snapshot_survives_json(bench: Bench) -> None:
    before = bench.connector.prepare(bench.target)
    assert Snapshot.from_json(before.as_json()) == before


@pytest.mark.parametrize("state", ["down", "hanging"])
def test_target_that_does_not_answer_is_told_in_time(bench: Bench, state: str) -> None:
    target, opening = getattr(bench, state)(), bench.opening()
    closing = opening.closing()
    calls = (
        lambda: bench.connector.open(target, opening),
        lambda: bench.connector.close(target, closing),
        lambda: bench.connector.read_back(target, closing, before=None),
        lambda: bench.connector.running(target, closing),
    )
    for call in calls:
        with pytest.raises(Unreachable) as caught:
            call()
        assert caught.value.retry
    assert [(each.name, each.ok) for each in bench.connector.test(target)] == [("connection", False)]


def test_only_one_watchdog_is_held(bench: Bench) -> None:
    bench.end_watchdog()
    held = bench.connector.watchdog(bench.target)
    assert held is not None
    assert held.alive()
    assert bench.connector.watchdog(bench.target) is None
    held.stop()
    assert not held.alive()


def test_password_fits_its_verifier_and_is_never_the_same(bench: Bench) -> None:
    first, second = bench.connector.make_secret(), bench.connector.make_secret()
    assert first != second
    assert len(first.reveal()) >= 26
    assert first.reveal() not in bench.connector.verifier(bench.target, "bg_1", first).reveal()


@pytest.mark.parametrize(("bench", "at"), OPEN, indirect=["bench"])
def test_open_killed_at_a_step_is_finished_by_a_retry(bench: Bench, at: str) -> None:
    before, opening = bench.connector.prepare(bench.target), bench.opening()
    with pytest.raises(Killed):
        bench.connector.open(bench.target, opening, step=killing(at))
    again = bench.connector.open(bench.target, opening)
    assert isinstance(again, Opened)
    assert bench.can_log_in(opening.login)
    end(bench, before, closing_of(opening, again))


@pytest.mark.parametrize(("bench", "at"), OPEN, indirect=["bench"])
def test_open_killed_at_a_step_is_undone_by_a_close(bench: Bench, at: str) -> None:
    before, opening = bench.connector.prepare(bench.target), bench.opening()
    with pytest.raises(Killed):
        bench.connector.open(bench.target, opening, step=killing(at))
    end(bench, before, opening.closing(opened_at_ms=now_ms()))


@pytest.mark.parametrize(("bench", "at"), CLOSE, indirect=["bench"])
@pytest.mark.parametrize("known", ["marker known", "marker unknown"])
def test_close_killed_at_a_step_is_finished_by_a_retry(bench: Bench, at: str, known: str) -> None:
    before, opening, closing = opened(bench)
    acts = bench.start_session(opening.login)
    told = closing if known == "marker known" else opening.closing()
    with pytest.raises(Killed):
        bench.connector.close(bench.target, told, step=killing(at))
    end(bench, before, told)
    assert not acts()


def killing(at: str) -> Step:
    """A step hook that ends the work at one step."""

    def step(name: str) -> None:
        if name == at:
            raise Killed(name)

    return step
