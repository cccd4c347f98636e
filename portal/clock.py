"""One clock for the portal: milliseconds in events, aware datetimes in rows, always the same reading. And minutes in words."""

from datetime import UTC, datetime

from audit.log.append import now_ms


def now() -> datetime:
    """The time as an aware datetime in UTC, cut to milliseconds so that rows and events agree."""
    return moment(now_ms())


def moment(milliseconds: int) -> datetime:
    """Turn milliseconds since 1970 UTC into an aware datetime, exactly."""
    seconds, rest = divmod(milliseconds, 1000)
    return datetime.fromtimestamp(seconds, tz=UTC).replace(microsecond=rest * 1000)


def ms(when: datetime) -> int:
    """Turn an aware datetime into milliseconds since 1970 UTC."""
    return int(when.timestamp()) * 1000 + when.microsecond // 1000


def optional_ms(when: datetime | None) -> int | None:
    """`ms`, or nothing for nothing."""
    return None if when is None else ms(when)


def minutes(count: int) -> str:
    """60 -> "60 minutes", 1 -> "1 minute"."""
    return f"{count} minute{'' if count == 1 else 's'}"
