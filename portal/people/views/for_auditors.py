"""What an auditor looks at first: what is open, what is late, and whether the log holds."""

from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse

from portal.clock import now
from portal.eligibility.models import AUDITOR
from portal.eligibility.queries import systems_where
from portal.findings import queries as findings
from portal.grants.queries import open_modes
from portal.health.log_rows import check_row
from portal.health.rows import HEALTHY, Row
from portal.people.models import Person
from portal.reviews import queries as reviews


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
    """Counts over the systems that the viewer audits; findings as their list shows them. A constant number of queries."""
    systems, at = systems_where(viewer.pk, (AUDITOR,)), now()
    found = (
        _open(open_modes(systems)),
        _late_reviews(reviews.overdue_count(systems, at)),
        _late_findings(findings.listed(viewer, findings.OVERDUE).count()),
    )
    check = check_row(at)
    damage = First("The check of the log", check.says, "alert-triangle", _address("log_page"))
    firsts = [each for each in ([damage] if check.state != HEALTHY else []) + list(found) if each is not None]
    return Audited(check, firsts, systems.count())


def _open(modes: list[str]) -> First | None:
    bypasses = modes.count("bypass")
    more = f"{bypasses} of them by bypass" if bypasses else "None of them by bypass"
    return _first(len(modes), "access is", "accesses are", "open now", more, "lock-open", _address("case_list"))


def _late_reviews(count: int) -> First | None:
    return _first(count, "review is", "reviews are", "overdue", "", "clipboard-check", reverse("reviews"))


def _late_findings(count: int) -> First | None:
    return _first(count, "finding is", "findings are", "overdue", "", "flag", f"{reverse('findings')}?show=overdue")


def _first(count: int, one: str, many: str, how: str, more: str, icon: str, url: str) -> First | None:
    return First(f"{count} {one if count == 1 else many} {how}", more, icon, url) if count else None


def _address(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:  # audit's pages are not part of every set-up
        return reverse("status_page")
