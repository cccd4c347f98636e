"""Named signals, each with its rule: that emergency access becomes routine, is used for other things, or is opened without approval more and more.

They are computed from the list of cases, which is made from the log, with the figures of the catalogue (T-36). A signal is no deviation: it says
where to look.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from audit.facts.given import MILLISECONDS
from audit.facts.parameters import Parameter

DAY = MILLISECONDS["day"]
WINDOW_DAYS = 90


class Use(Protocol):
    """What is asked of a case that opened and was no drill; the list of cases has it."""

    @property
    def case(self) -> str:
        """The case."""

    @property
    def responder_id(self) -> str:
        """Whose use it was."""

    @property
    def system(self) -> str:
        """The system's name."""

    @property
    def system_id(self) -> str:
        """The system."""

    @property
    def privilege(self) -> str:
        """What was opened on it."""

    @property
    def mode(self) -> str:
        """``approved`` or ``bypass``."""

    @property
    def outside(self) -> int:
        """How many actions were not among the kinds that had been said."""

    @property
    def opened_at(self) -> int | None:
        """When it opened (ms)."""


@dataclass(frozen=True)
class Signal:
    """One place to look at: whose use of what, and the figure that crosses the rule. ``narrows`` is an address of the list of cases."""

    who: str
    where: str
    says: str
    narrows: str


@dataclass(frozen=True)
class Named:
    """One kind of signal with its rule in a sentence."""

    name: str
    rule: str
    signals: tuple[Signal, ...]


def since(parameters: Mapping[str, Parameter], at: int) -> int:
    """The earliest use that any rule looks at (ms)."""
    return at - max(2 * WINDOW_DAYS, WINDOW_DAYS + int(parameters["repeat_window_days"].value)) * DAY


def signals(uses: Iterable[Use], at: int, parameters: Mapping[str, Parameter]) -> list[Named]:
    """Every kind, also those without a signal, at a time (ms)."""
    known = sorted(
        (use for use in uses if use.opened_at is not None and use.opened_at <= at),
        key=lambda use: (use.opened_at or 0, use.case),
    )
    return [
        _repeated(known, at, parameters),
        _outside(known, at),
        _mostly(known, at, parameters),
        _growing(known, at, parameters),
    ]


def _repeated(uses: Sequence[Use], at: int, parameters: Mapping[str, Parameter]) -> Named:
    most, days = int(parameters["repeat_warn"].value), int(parameters["repeat_window_days"].value)
    rule = f"One person opened one privilege more than {most} times within {days} days, in the last {WINDOW_DAYS}."
    found = []
    for mine in _grouped(uses).values():
        times = [use.opened_at or 0 for use in mine]
        highest = max(
            (sum(end - days * DAY < each <= end for each in times) for end in times if end > at - WINDOW_DAYS * DAY),
            default=0,
        )
        if highest > most:
            found.append(_of(mine[-1], f"{highest} times within {days} days"))
    return Named("Repeated use", rule, tuple(found))


def _outside(uses: Sequence[Use], at: int) -> Named:
    rule = f"Somebody did what was not among the kinds of action that they had said, in the last {WINDOW_DAYS} days."
    found = []
    for mine in _grouped(_recent(uses, at)).values():
        acts, count = sum(use.outside for use in mine), sum(use.outside > 0 for use in mine)
        if count:
            found.append(_of(mine[-1], f"{acts} action{_s(acts)} in {count} of {len(mine)} use{_s(len(mine))}"))
    return Named("Other than intended", rule, tuple(found))


def _mostly(uses: Sequence[Use], at: int, parameters: Mapping[str, Parameter]) -> Named:
    least, share = int(parameters["min_uses_for_rate"].value), float(parameters["bypass_rate_warn"].value)
    rule = f"Of at least {least} uses of one privilege by one person in the last {WINDOW_DAYS} days, more than {share:.0%} were opened by bypass."
    found = []
    for mine in _grouped(_recent(uses, at)).values():
        bypasses = sum(use.mode == "bypass" for use in mine)
        if len(mine) >= least and bypasses > share * len(mine):
            found.append(_of(mine[-1], f"{bypasses} of {len(mine)} uses by bypass"))
    return Named("Often by bypass", rule, tuple(found))


def _growing(uses: Sequence[Use], at: int, parameters: Mapping[str, Parameter]) -> Named:
    least, share = int(parameters["min_uses_for_rate"].value), float(parameters["bypass_rate_warn"].value)
    rule = (
        f"On one system the share of bypass in the last {WINDOW_DAYS} days is higher by more than {share:.0%} than in the {WINDOW_DAYS} days before, "
        f"with at least {least} uses in each."
    )
    now, before = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    names = {}
    for use in uses:
        age = at - (use.opened_at or 0)
        if age < 2 * WINDOW_DAYS * DAY:
            counted = now if age < WINDOW_DAYS * DAY else before
            counted[use.system_id, "all"] += 1
            counted[use.system_id, "bypass"] += use.mode == "bypass"
            names[use.system_id] = use.system
    found = []
    for system, name in sorted(names.items(), key=lambda item: item[1]):
        if min(now[system, "all"], before[system, "all"]) >= least:
            new, old = (each[system, "bypass"] / each[system, "all"] for each in (now, before))
            if new - old > share:
                found.append(Signal("", name, f"{old:.0%} before, {new:.0%} now", f"system={system}&mode=bypass"))
    return Named("More and more by bypass", rule, tuple(found))


def _recent(uses: Sequence[Use], at: int) -> list[Use]:
    return [use for use in uses if (use.opened_at or 0) > at - WINDOW_DAYS * DAY]


def _grouped(uses: Iterable[Use]) -> dict[tuple[str, str, str], list[Use]]:
    """By person, system and privilege, in the order of their first use."""
    found: dict[tuple[str, str, str], list[Use]] = defaultdict(list)
    for use in uses:
        found[use.responder_id, use.system_id, use.privilege].append(use)
    return found


def _of(use: Use, says: str) -> Signal:
    return Signal(
        use.responder_id, f"{use.system}, {use.privilege}", says, f"system={use.system_id}&person={use.responder_id}"
    )


def _s(count: int) -> str:
    return "" if count == 1 else "s"
