"""A value that must not be shown: its representation hides it, and it refuses to be written down."""

import hmac
from typing import Any, NoReturn


class Secret:
    """Holds one secret text. Only ``reveal()`` gives it out, so every place that uses it can be found by name."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Give the text itself; never put it into a log, an event or an error."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(hidden)"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash(("Secret", self._value))

    def __bool__(self) -> bool:
        return bool(self._value)

    def __copy__(self) -> "Secret":
        return self

    def __deepcopy__(self, _memo: dict[int, Any]) -> "Secret":
        return self

    def __reduce__(self) -> NoReturn:
        """Pickling would write the text into a queue or a cache."""
        raise TypeError("A secret is not written down.")
