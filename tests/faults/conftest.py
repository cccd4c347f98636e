"""The whole portal, for tests that take parts of it away."""

from tests.faults.whole import _house, house

__all__ = ["_house", "house"]
