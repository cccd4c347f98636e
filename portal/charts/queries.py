"""Figures of the uses, reviews and findings that a viewer may see: one query for each chart, whatever the years hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Aggregate, Count, DateTimeField, DurationField, ExpressionWrapper, F, Q, QuerySet
from django.db.models.functions import Coalesce, TruncMonth

from portal.clock import now
from portal.findings.queries import findings
from portal.findings.states import CLOSED
from portal.grants.models import Grant
from portal.grants.queries import visible_grants
from portal.people.models import Person
from portal.reviews.queries import visible as visible_reviews

MONTHS = 12
AGES = ((7, "Up to 7 days"), (30, "8 to 30 days"), (90, "31 to 90 days"), (None, "Over 90 days"))


class Percentile(Aggregate):
    """PostgreSQL's ``percentile_cont``: the value below which a share of the rows lies."""

    function = "percentile_cont"
    output_field = DurationField()

    def __init__(self, expression: Any, share: float, **extra: Any) -> None:
        """``share`` is 0.5 for the median."""
        super().__init__(expression, **extra)
        self.template = f"%(function)s({share}) WITHIN GROUP (ORDER BY %(expressions)s)"


@dataclass(frozen=True)
class Month:
    """A calendar month in UTC."""

    year: int
    month: int

    @property
    def label(self) -> str:
        """ "Nov"."""
        return f"{datetime(self.year, self.month, 1, tzinfo=UTC):%b}"

    @property
    def words(self) -> str:
        """ "November 2026"."""
        return f"{datetime(self.year, self.month, 1, tzinfo=UTC):%B %Y}"


def last_months(at: datetime | None = None, count: int = MONTHS) -> list[Month]:
    """So many months, the present one last."""
    here = (at or now()).astimezone(UTC)
    number = here.year * 12 + here.month - 1
    return [Month(each // 12, each % 12 + 1) for each in range(number - count + 1, number + 1)]


def _begin(months: list[Month]) -> datetime:
    return datetime(months[0].year, months[0].month, 1, tzinfo=UTC)


def _by_month(rows: QuerySet[Any], column: str, months: list[Month], **counted: Any) -> Mapping[Month, dict[str, Any]]:
    dated = rows.filter(**{f"{column}__gte": _begin(months)}).order_by()
    grouped = (
        dated.annotate(in_month=TruncMonth(column, tzinfo=UTC, output_field=DateTimeField()))
        .values("in_month")
        .annotate(**counted)
    )
    return {Month(row["in_month"].year, row["in_month"].month): row for row in grouped}


def uses(viewer: Person, months: list[Month]) -> Mapping[Month, dict[str, Any]]:
    """Uses that opened in each month, and how many of them by bypass. Drills are no uses."""
    return _by_month(_used(viewer), "opened_at", months, uses=Count("pk"), bypasses=Count("pk", filter=BYPASS))


def to_open(viewer: Person, months: list[Month]) -> Mapping[Month, dict[str, Any]]:
    """From request to opening: the median and the tenth that took longest, of approved requests; and the median of bypasses."""
    waited = ExpressionWrapper(F("opened_at") - F("request__requested_at"), output_field=DurationField())
    return _by_month(
        _used(viewer), "opened_at", months, approved=Percentile(waited, 0.5, filter=~BYPASS), slowest=Percentile(waited, 0.9, filter=~BYPASS),
        bypass=Percentile(waited, 0.5, filter=BYPASS), uses=Count("pk"),
    )  # fmt: skip


def to_review(viewer: Person, months: list[Month]) -> Mapping[Month, dict[str, Any]]:
    """From the end of a use to its review, by the month of the review: median, slowest tenth, and how many were late.

    Of offline cards from when the use was declared: before, nobody could know of it.
    """
    took = ExpressionWrapper(
        F("submitted_at") - Coalesce("grant__ended_at", "request__requested_at"), output_field=DurationField()
    )
    done = visible_reviews(viewer).select_related(None).exclude(request__mode="drill")
    return _by_month(
        done, "submitted_at", months, median=Percentile(took, 0.5), slowest=Percentile(took, 0.9), reviews=Count("pk"),
        late=Count("pk", filter=Q(submitted_at__gt=F("due_at"))),
    )  # fmt: skip


def findings_by_age(viewer: Person) -> list[tuple[str, int, int]]:
    """Open findings by their age: how many, and how many of them overdue."""
    at, since, counted = now(), 0, {}
    for number, (days, _) in enumerate(AGES):
        older = Q(raised_at__lte=at - timedelta(days=since)) if since else Q()
        younger = Q(raised_at__gt=at - timedelta(days=days)) if days else Q()
        counted[f"age_{number}"] = Count("pk", filter=older & younger)
        counted[f"late_{number}"] = Count("pk", filter=older & younger & Q(due_at__lt=at))
        since = days or since
    row = findings(viewer).select_related(None).exclude(state=CLOSED).aggregate(**counted)
    return [(words, row[f"age_{number}"], row[f"late_{number}"]) for number, (_, words) in enumerate(AGES)]


BYPASS = Q(request__mode="bypass")


def _used(viewer: Person) -> QuerySet[Grant]:
    return visible_grants(viewer).filter(opened_at__isnull=False).exclude(request__mode="drill")
