"""Long shares in parts: each part has a number, from which its chance follows, and can be left out once it is done.

`PORTAL_FAULTS_DONE=file make faults` notes each part in the file when it held, and skips those that stand there: a run that broke off goes on.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def part(name: str) -> Iterator[None]:
    """One part of a share; skipped where it is done already."""
    file = os.environ.get("PORTAL_FAULTS_DONE", "")
    done = Path(file) if file else None
    if done is not None and done.exists() and name in done.read_text().splitlines():
        pytest.skip(f"{name} is done already, says {done}")
    yield
    if done is not None:
        with done.open("a") as kept:
            kept.write(f"{name}\n")
