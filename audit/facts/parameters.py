"""A parameter of the catalogue: one figure with its unit, and which way is stricter."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Value = Any  # a number, a list, or a map of entries to numbers


class NotStricter(ValueError):
    """A value was to replace another and is not at least as strict."""


@dataclass(frozen=True)
class Parameter:
    """One figure of the yardstick. ``by`` says what the entries of a map go by."""

    name: str
    value: Value
    unit: str
    stricter: str | None = None
    in_policy: bool = False
    by: str = ""
    note: str = ""
    source: str = ""

    def strictest(self, values: Sequence[Value]) -> Value:
        """The strictest of some values: the lowest, the highest, or what is common to all lists."""
        if self.stricter == "lower":
            return min(values)
        if self.stricter == "higher":
            return max(values)
        common = [each for each in values[0] if all(each in other for other in values[1:])]
        return common if self.stricter == "subset" else _union(values)

    def entries(self, chosen: Iterable[str | None], value: Value = None) -> list[Value]:
        """The entries of a value that apply: all of a single value, those named in ``chosen`` of a map."""
        value = self.value if value is None else value
        if not isinstance(value, Mapping):
            return [value]
        return [value[name] for name in chosen if name in value]

    def default(self) -> Value:
        """What holds for an act that belongs to no request: the entry ``default``, or the strictest of the entries."""
        if not isinstance(self.value, Mapping):
            return self.value
        return self.value.get("default", self.strictest(list(self.value.values())))


def _union(values: Sequence[Value]) -> Value:
    return [
        each for number, value in enumerate(values) for each in value if not any(each in v for v in values[:number])
    ]


def tighten(parameter: Parameter, value: Value) -> Value:
    """The value that replaces that of a parameter, entries that it does not name kept.

    Raises:
        NotStricter: the new value is looser somewhere, of another kind, or the parameter has no stricter side.
    """
    old = parameter.value
    if isinstance(old, Mapping) and isinstance(value, Mapping):
        if unknown := value.keys() - old.keys():
            raise NotStricter(f"{parameter.name} has no entry {sorted(map(str, unknown))[0]}")
        return {name: _tightened(parameter, each, value.get(name, each)) for name, each in old.items()}
    if isinstance(old, Mapping):
        return {name: _tightened(parameter, each, value) for name, each in old.items()}
    return _tightened(parameter, old, value)


def _tightened(parameter: Parameter, old: Value, new: Value) -> Value:
    if not same_kind(old, new):
        raise NotStricter(f"{parameter.name} is in {parameter.unit}, like {old!r}; {new!r} is something else")
    if parameter.stricter is None or not _at_least_as_strict(parameter.stricter, old, new):
        raise NotStricter(f"{parameter.name} may only become stricter than {old!r}, and {new!r} is not")
    return new


def same_kind(old: Value, new: Value) -> bool:
    """Whether a value could stand in place of another: a filled list for a list, a number for a number."""
    if isinstance(old, list):
        return isinstance(new, list) and bool(new)
    return isinstance(new, int | float) and not isinstance(new, bool) and new >= 0


def _at_least_as_strict(side: str, old: Value, new: Value) -> bool:
    if side == "subset":
        return all(each in old for each in new)
    if side == "superset":
        return all(each in new for each in old)
    return bool(new <= old if side == "lower" else new >= old)
