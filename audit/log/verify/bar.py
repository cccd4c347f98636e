"""A bar that grows while a long check runs."""

import sys

CELLS = 40


def wants_bar(*, quiet: bool) -> bool:
    """Whether somebody looks on."""
    return not quiet and sys.stderr.isatty()


def show(done: int, size: int, of: str = "") -> None:
    """Draw it over itself; the line ends when all is done. ``of``: what is looked at, where there is more than one bar."""
    filled = CELLS * done // size if size else CELLS
    end = "\n" if done >= size else ""
    line = f"\r[{'#' * filled}{' ' * (CELLS - filled)}] {done} of {size}{of and f' {of}'}"
    print(line, end=end, file=sys.stderr, flush=True)  # noqa: T201 - a command speaks
