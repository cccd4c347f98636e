"""Times and lengths for people: UTC first, the viewer's zone beside it where the script runs."""

from datetime import UTC, datetime, timedelta

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from portal import clock

register = template.Library()

_EMPTY = format_html(
    '<span class="soft"><span aria-hidden="true">{}</span><span class="visually-hidden">{}</span></span>', "—", "none"
)


def _aware(value: datetime | int) -> datetime:
    """Event times are milliseconds since 1970 UTC, model times aware datetimes."""
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=value)


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _words(at: datetime, *, seconds: bool = False) -> str:
    time = at.strftime("%H:%M:%S" if seconds else "%H:%M")
    return f"{at.day} {at.strftime('%b %Y')}, {time} UTC"


@register.simple_tag
def moment(value: datetime | int | None, *, seconds: bool = False) -> SafeString:
    """`{% moment at %}`: "24 Nov 2026, 17:25 UTC"; nothing known is a dash. `seconds=True` shows them."""
    if value is None:
        return _EMPTY
    at = _aware(value)
    mark = format_html(' data-seconds="{}"', "yes") if seconds else ""
    return format_html('<time datetime="{}" data-moment{}>{}</time>', _iso(at), mark, _words(at, seconds=seconds))


@register.filter
def duration(value: timedelta | int | None) -> str:
    """A timedelta, or a whole number of seconds: "1 h 30 min", "45 s"; below zero counts as nothing left."""
    if value is None:
        return "—"
    total = max(0, int(value.total_seconds() if isinstance(value, timedelta) else value))
    days, rest = divmod(total, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, seconds = divmod(rest, 60)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (seconds if total < 600 else 0, "s")]
    return " ".join([f"{number} {unit}" for number, unit in parts if number][:2]) or "0 s"


@register.filter
def minutes(value: int | None) -> str:
    """60 -> "60 minutes", 1 -> "1 minute"."""
    return "—" if value is None else clock.minutes(value)


@register.inclusion_tag("components/countdown.html")
def countdown(until: datetime | int, *, near: int = 300, over: str = "Time is up") -> dict[str, object]:
    """`{% countdown grant.expires_at %}`: what is left; right as served, ticking with the script.

    `near`: from how many seconds on it is marked and told to screen readers; `over`: the words at the end.
    """
    now = timezone.now()
    at = _aware(until)
    left = at - now
    return {
        "iso": _iso(at),
        "until": _words(at),
        "served": _iso(now),
        "left": duration(left) if left > timedelta() else over,
        "is_near": timedelta() < left <= timedelta(seconds=near),
        "is_over": left <= timedelta(),
        "near": near,
        "over": over,
    }
