"""The store that an address names."""

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from audit.log.stores import HEAD, MOST_BYTES, PassingStore
from audit.log.stores.bucket import connect
from audit.log.stores.directory import DirectoryStore

RETAIN_DAYS = 400  # a year of evidence and the time to make it


def open_store(address: str, *, inside: str = "", head: str = HEAD, most: int = MOST_BYTES) -> PassingStore:
    """The store at an address: the whole path of a directory, or ``s3://bucket/prefix?region=…&endpoint=…&retain_days=…``.

    Args:
        address: See above.
        inside: A folder in it that is meant instead.
        head: How the file is called that is moved there.
        most: Bytes that a resource there may have.

    Raises:
        ValueError: The address names none.
    """
    if address.startswith("/"):
        return DirectoryStore(Path(address) / inside, head=head, most=most)
    parts = urlsplit(address)
    given = parse_qs(parts.query)
    if parts.scheme != "s3" or not parts.netloc or not given.keys() <= {"region", "endpoint", "retain_days"}:
        raise ValueError("The log is published to a directory, given by its whole path, or to s3://bucket/prefix.")
    if "@" in parts.netloc or "@" in (urlsplit(given.get("endpoint", [""])[0]).netloc):
        raise ValueError("The address of a bucket holds no name and no password: those come from the environment.")
    region, endpoint, days = (given.get(name, [""])[0] for name in ("region", "endpoint", "retain_days"))
    if days and not days.isdecimal():
        raise ValueError("retain_days is a whole number.")
    return connect(
        parts.netloc, f"{parts.path.rstrip('/')}/{inside}", int(days or RETAIN_DAYS), endpoint=endpoint or None,
        region=region or None, head=head, most=most,
    )  # fmt: skip
