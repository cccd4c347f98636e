"""When Python looks for garbage: not while tests are collected, and never again among what was collected.

Modules and thousands of tests stay to the end. Each full look for garbage would go through all of them: a third of what collecting takes, and
a part of every test that follows.
"""

import gc
from collections.abc import Iterator

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """What stands once all is collected is set aside; from there on Python looks as ever."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()
