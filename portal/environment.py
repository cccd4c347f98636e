"""Small typed readers of the environment; each failure names the variable."""

import os
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from audit.events.retention import read_terms


class MissingSetting(RuntimeError):
    """A variable that must be set is not, or cannot be read."""


def text(name: str, default: str | None = None) -> str:
    """Read ``NAME``, or the file that ``NAME_FILE`` names; secrets come by file or variable only."""
    path = os.environ.get(f"{name}_FILE")
    if path:
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise MissingSetting(f"{name}_FILE cannot be read: {error.strerror}") from error
    value = os.environ.get(name, default)
    if value is None:
        raise MissingSetting(f"{name} is not set")
    return value


def flag(name: str, default: bool = False) -> bool:
    """Read a yes or no."""
    value = os.environ.get(name, "").strip().lower()
    if value in ("1", "yes", "true", "on"):
        return True
    if value in ("0", "no", "false", "off"):
        return False
    if value == "":
        return default
    raise MissingSetting(f"{name} is neither yes nor no: {value!r}")


def number(name: str, default: int) -> int:
    """Read an integer."""
    value = os.environ.get(name, "").strip()
    try:
        return int(value) if value else default
    except ValueError as error:
        raise MissingSetting(f"{name} is not a whole number: {value!r}") from error


def retention(name: str) -> dict[str, int]:
    """Read for how many days each class of event is kept; what is not named keeps the term of its duty."""
    try:
        return read_terms(text(name, ""))
    except ValueError as error:
        raise MissingSetting(f"{name}: {error}") from error


def words(name: str, default: str = "") -> list[str]:
    """Read a list parted by commas."""
    return [word.strip() for word in os.environ.get(name, default).split(",") if word.strip()]


def database(url: str) -> dict[str, object]:
    """Turn ``postgresql://user:password@host:port/name?sslmode=..`` into Django's settings; PostgreSQL is the only engine."""
    parts = urlsplit(url)
    if parts.scheme not in ("postgres", "postgresql"):
        raise MissingSetting("DATABASE_URL must begin with postgresql://")
    options = dict(parse_qsl(parts.query))
    try:
        port = parts.port
    except ValueError:  # it may be a part of the password, so it is not repeated, nor is where it was met
        raise MissingSetting(
            "DATABASE_URL holds a port that is no number; what is special in a password is written as %2F or the like"
        ) from None
    host = options.pop("host", None) or unquote(parts.hostname or "")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(port or options.pop("port", "")),
        "OPTIONS": options,
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,
    }
