"""One race: what stands, what many hands do to it at the same moment, and how it may end.

Each hand has a database connection of its own. Whoever wins has written the events of that act; whoever does not is refused by an error of
ours, and the log holds that refusal. Nothing else may be in the log afterwards, and each row that django-auditlog or the outbox keeps has its event.
"""

import itertools
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from auditlog.models import LogEntry
from django.db import connection

from audit.log.append import ALWAYS, Refused
from portal.notifications.models import Alert
from tests.at_once import at_once
from tests.worlds import World

Action = Callable[..., Any]
Said = dict[str, Any]


@dataclass(frozen=True)
class Act:
    """One act of one person, as often as hands do it. ``wrote``: its events where it succeeds."""

    action: Action
    said: Mapping[str, Any]
    name: str
    wrote: tuple[str, ...]


def does(action: Action, *, called: str = "", wrote: Sequence[str] = (), **said: Any) -> Act:
    """An act under the name by which ``Raced.ends`` knows it; that of the action unless another is given."""
    events = tuple(wrote) or tuple(action.declared)  # type: ignore[attr-defined]  # set by @action
    assert wrote or len(events) == 1, f"say which events {action.__name__} writes"
    return Act(action, said, called or action.__name__, events)


@dataclass(frozen=True)
class Raced:
    """What the hands do, in turns; ``left`` reads what stands afterwards, which ``ends`` holds by those who won, in the order of the alphabet.

    Acts that are ``free`` may succeed as often as they like: they decide nothing. ``writes``: the events of those who won, where that
    depends on who else did.
    """

    acts: Sequence[Act]
    left: Callable[[], object]
    ends: Mapping[tuple[str, ...], object]
    free: frozenset[str] = frozenset()
    writes: Mapping[tuple[str, ...], Sequence[str]] = field(default_factory=dict)


SetUp = Callable[[World], Raced]
RACES: dict[str, tuple[frozenset[Action], SetUp]] = {}


def race(*actions: Action) -> Callable[[SetUp], SetUp]:
    """Enter a race into the table, with the actions that meet in it."""

    def enter(set_up: SetUp) -> SetUp:
        assert set_up.__name__ not in RACES
        RACES[set_up.__name__] = (frozenset(actions), set_up)
        return set_up

    return enter


def run(name: str, world: World, hands: int) -> None:
    """Let them start together, and hold what came of it against what may come."""
    actions, set_up = RACES[name]
    raced = set_up(world)
    assert {act.action for act in raced.acts} == actions
    turns = itertools.cycle(raced.acts)
    before, rows = _events(), _rows()

    def hand() -> tuple[Act, Exception | None]:
        act = next(turns)
        try:
            act.action(**act.said)
        except Exception as error:  # noqa: BLE001 - it is looked at below
            return act, error
        return act, None

    got = at_once(max(hands, len(raced.acts)), hand)
    answers = [each for each in got if isinstance(each, tuple)]
    assert len(answers) == max(hands, len(raced.acts)), got
    for _, error in answers:
        if error is not None and not isinstance(error, Refused):
            raise error
    won = [act for act, error in answers if error is None]
    lost = [act for act, error in answers if error is not None]
    winners = tuple(sorted(act.name for act in won if act.name not in raced.free))
    assert winners in raced.ends, (winners, {str(error) for _, error in answers})
    assert raced.left() == raced.ends[winners], winners
    written = _events() - before
    ours = Counter({event: count for event, count in written.items() if event not in ALWAYS})
    wrote = raced.writes.get(winners, [event for act in won for event in act.wrote])
    told = Counter(event for event in wrote if event not in ALWAYS)
    told.update(act.action.refused for act in lost if act.action.refused)  # type: ignore[attr-defined]  # likewise
    assert ours == told
    assert Counter({event: written[event] for event in ALWAYS}) == _rows() - rows


def _events() -> Counter[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, count(*) FROM audit_event GROUP BY name")
        return Counter(dict(cursor.fetchall()))


def _rows() -> Counter[str]:
    return Counter({"alert.queued": Alert.objects.count(), "configuration.changed": LogEntry.objects.count()})
