"""The store that an address names."""

from pathlib import Path

from audit.log.stores import Store
from audit.log.stores.directory import DirectoryStore


def open_store(address: str) -> Store:
    """The store at an address: the path of a directory.

    Raises:
        ValueError: The address names none.
    """
    if not address.startswith("/"):
        raise ValueError("The log is published to a directory, given by its whole path.")
    return DirectoryStore(Path(address))
