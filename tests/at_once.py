"""The same thing done by several hands at the same moment, each with a database connection of its own."""

import threading
from collections.abc import Callable
from typing import TypeVar

from django.db import connection

R = TypeVar("R")


def at_once(hands: int, do: Callable[[], R]) -> list[R | BaseException]:
    """What each hand got: a value, or the error that it met."""
    together = threading.Barrier(hands)
    got: list[R | BaseException] = []

    def work() -> None:
        together.wait(90)
        try:
            got.append(do())
        except Exception as error:  # noqa: BLE001 - the caller looks at it
            got.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(hands)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return got
