"""What an auditor looks at first: what is open, what is late, and whether the log holds."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.urls import NoReverseMatch, reverse

from portal.clock import now
from portal.eligibility.models import AUDITOR
from portal.eligibility.queries import systems_where
from portal.findings.models import Finding
from portal.findings.states import CLOSED
from portal.grants.models import Grant
from portal.grants.states import MAY_BE_LIVE
from portal.health.log_rows import check_row
from portal.health.rows import HEALTHY, Row
from portal.people.models import Person
from portal.reviews.models import Review
from portal.reviews.queries import OWED
from portal.reviews.states import SUBMITTED
from portal.systems.models import System


@dataclass(frozen=True)
class First:
    """One thing to look at: how many of it, in words, and where they stand."""

    says: str
    more: str
    icon: str
    url: str


@dataclass(frozen=True)
class Audited:
    """The check of the log, and what is there to look at; the number of systems says over what."""

    check: Row
    firsts: list[First]
    systems: int


def audited(viewer: Person) -> Audited:
    """Counts over the systems that the viewer audits. Five queries."""
    systems, at = systems_where(viewer.pk, (AUDITOR,)), now()
    found = (_open(systems), _late_reviews(systems, at), _late_findings(systems, at))
    check = check_row(at)
    damage = First("The check of the log", check.says, "alert-triangle", _address("log_page"))
    firsts = [each for each in ([damage] if check.state != HEALTHY else []) + list(found) if each is not None]
    return Audited(check, firsts, systems.count())


def _open(systems: QuerySet[System]) -> First | None:
    modes = list(
        Grant.objects.filter(system__in=systems, state__in=MAY_BE_LIVE).values_list("request__mode", flat=True)
    )
    bypasses = modes.count("bypass")
    more = f"{bypasses} of them by bypass" if bypasses else "None of them by bypass"
    return _first(len(modes), "access is", "accesses are", "open now", more, "lock-open", _address("case_list"))


def _late_reviews(systems: QuerySet[System], at: datetime) -> First | None:
    late = Review.objects.exclude(state=SUBMITTED).filter(request__system__in=systems).annotate(owed=OWED)
    count = late.filter(owed__lte=at).count()
    return _first(count, "review is", "reviews are", "overdue", "", "clipboard-check", reverse("reviews"))


def _late_findings(systems: QuerySet[System], at: datetime) -> First | None:
    count = Finding.objects.exclude(state=CLOSED).filter(system__in=systems, due_at__lt=at).count()
    return _first(count, "finding is", "findings are", "overdue", "", "flag", f"{reverse('findings')}?show=overdue")


def _first(count: int, one: str, many: str, how: str, more: str, icon: str, url: str) -> First | None:
    return First(f"{count} {one if count == 1 else many} {how}", more, icon, url) if count else None


def _address(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:  # audit's pages are not part of every set-up
        return reverse("status_page")
