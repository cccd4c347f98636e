"""How the static files are found: once for each process.

WhiteNoise looks at every file whenever a client of a test loads the middleware, and each browser of each person is such a client.
"""

from typing import Any

from whitenoise.middleware import WhiteNoiseMiddleware  # type: ignore[import-untyped]  # ships no types

_look = WhiteNoiseMiddleware.add_files_from_finders
_found: dict[str, dict[str, Any]] = {}  # by the address under which they are served


def found_once() -> None:
    """Let every later client serve what the first one found. No test adds a static file."""
    WhiteNoiseMiddleware.add_files_from_finders = _add


def _add(noise: WhiteNoiseMiddleware) -> None:
    if noise.static_prefix not in _found:
        _look(noise)
        _found[noise.static_prefix] = noise.files
    noise.files = dict(_found[noise.static_prefix])
