"""Cases that somebody may see, narrowed and searched. Names and reasons are looked for in the log itself, where erasure reaches them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.contrib.auth import get_backends
from django.db.models import Q, QuerySet

from audit.cases.models import CaseListPosition, CaseRow
from audit.log.append import now_ms
from audit.log.models import PersonalValue, SealedEntry
from audit.log.read import person_names, size
from audit.log.viewing import Viewer

ASKING = ("request.made", "request.supplemented")
ACTING = (
    *ASKING,
    "request.approved",
    "request.declined",
    "review.submitted",
    "review.second_submitted",
    "grant.revoked",
)
MOST_PEOPLE = 500


def systems_of(viewer: Viewer) -> frozenset[str]:
    """Ids of the systems whose cases the viewer may see, as the portal's rules say."""
    rules = [each.systems_with_perm for each in get_backends() if hasattr(each, "systems_with_perm")]
    return frozenset(system for rule in rules for system in rule(viewer, "audit.view_system"))


def visible(viewer: Viewer) -> QuerySet[CaseRow]:
    """Cases that the viewer may see: an auditor all, others those of their systems, their own, and those on which they decided."""
    if viewer.has_perm("audit.view_all"):
        return CaseRow.objects.all()
    me = str(viewer.pk)
    return CaseRow.objects.filter(Q(system_id__in=systems_of(viewer)) | Q(responder_id=me) | Q(deciders__contains=[me]))


def narrowed(rows: QuerySet[CaseRow], chosen: Mapping[str, Any]) -> QuerySet[CaseRow]:
    """Only those that fit what was filled in."""
    same = {"system": "system_id", "mode": "mode", "status": "status", "verdict": "verdict"}
    rows = rows.filter(**{column: chosen[name] for name, column in same.items() if name in chosen})
    if "since" in chosen:
        rows = rows.filter(asked_at__gte=_ms(chosen["since"]))
    if "until" in chosen:
        rows = rows.filter(asked_at__lt=_ms(chosen["until"] + timedelta(days=1)))
    if "person" in chosen:
        rows = rows.filter(people__has_any_keys=people_named(chosen["person"]))
    if "q" in chosen:
        rows = rows.filter(_searched(chosen["q"]))
    return rows.order_by("-asked_at", "case")


def of_incident(viewer: Viewer, ref: str) -> QuerySet[CaseRow]:
    """Cases under one incident that the viewer may see, in the order in which they were asked."""
    named = CaseRow.objects.none() if not ref or "\x00" in ref else visible(viewer).filter(incident=ref)
    return named.order_by("asked_at", "case")


def systems_in(rows: QuerySet[CaseRow]) -> list[tuple[str, str]]:
    """Systems of the cases, for a choice."""
    return list(
        rows.exclude(system_id="").order_by("system", "system_id").values_list("system_id", "system").distinct()
    )


@dataclass(frozen=True)
class Following:
    """How far the list has followed the log, and for how long the next entry has been waiting (seconds)."""

    size: int
    behind: int
    late_s: int


def following() -> Following:
    """Entries of the sealed log that the list has not followed yet. Three statements."""
    place = CaseListPosition.objects.filter(pk=1).values_list("next_index", flat=True).first() or 0
    total = size()
    since = SealedEntry.objects.filter(pk=place).values_list("sealed_at", flat=True).first()
    return Following(total, max(0, total - place), (now_ms() - since) // 1000 if since is not None else 0)


def people_named(text: str) -> list[str]:
    """Pseudonyms of people whose name holds the text, or whose pseudonym begins with it."""
    added = Q(event__name="person.added", field="name") | Q(event__name__in=ACTING, field="by_name")
    found = PersonalValue.objects.filter(added, value__icontains=text)
    rows = found.values_list("event__name", "event__subject", "event__by").distinct()[:MOST_PEOPLE]
    named = {subject.removeprefix("person:") if name == "person.added" else by for name, subject, by in rows}
    return [*named, text]


def names_in(rows: Iterable[CaseRow]) -> dict[str, str]:
    """Names of those who asked, as the log has them now."""
    rows = list(rows)
    said = PersonalValue.objects.filter(
        event__name="request.made", event__case__in=[row.case for row in rows], field="by_name"
    )
    return dict(said.values_list("event__by", "value")) | person_names(row.responder_id for row in rows)


def _searched(text: str) -> Q:
    """All words among what is kept of a case; or the text in a reason, or in the name of somebody who took part."""
    words = Q()
    for word in text.lower().split()[:8]:
        words &= Q(words__contains=word)
    reasons = PersonalValue.objects.filter(event__name__in=ASKING, field="reason", value__icontains=text)
    return words | Q(case__in=reasons.values("event__case")) | Q(people__has_any_keys=people_named(text))


def _ms(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp() * 1000)
