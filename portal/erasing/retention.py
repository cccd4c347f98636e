"""What is kept for how long, what could be cut, and what is in the way of it."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connections
from django.db.models import QuerySet

from audit.log.append import now_ms
from audit.log.cuts import cases_gone
from audit.log.heartbeats import last_beat
from audit.log.holds import Held, in_force
from audit.log.retained import Cuttable, Holding, classes, cuttable
from portal.access_requests.models import AccessRequest
from portal.access_requests.states import AWAITING
from portal.erasing.models import Cut, LegalHold
from portal.erasing.queries import may_see
from portal.erasing.said_holds import SaidHold, said_holds
from portal.erasing.states import APPROVED, CUTTING, LIFTED
from portal.findings.models import Finding
from portal.findings.states import CLOSED
from portal.grants.models import Grant
from portal.grants.states import FINAL as OVER
from portal.people.models import Person
from portal.reviews.models import Review
from portal.reviews.states import SUBMITTED


def terms() -> dict[str, int]:
    """Days by class, as the operator lengthened them."""
    return dict(settings.PORTAL_RETENTION)


def kept_classes() -> list[Holding]:
    """The classes, their terms, their oldest entries."""
    return classes(terms())


def held(using: str = "default") -> tuple[frozenset[str], frozenset[str]]:
    """Cases and people under a hold in force: by its row, or by the log where a database that was set back has none of it."""
    said = held_by_log(using)
    standing = list(LegalHold.objects.using(using).exclude(state=LIFTED).values_list("case_id", "person_id"))
    return (
        said.cases | {str(case) for case, _ in standing if case},
        said.people | {str(person) for _, person in standing if person},
    )


def held_by_log(using: str = "default") -> Held:
    """Cases and people under a hold in force of which there is no row."""
    rows = {str(pk) for pk in LegalHold.objects.using(using).values_list("pk", flat=True)}
    with connections[using].cursor() as cursor:
        return in_force(cursor, besides=rows)


def open_cases() -> set[str]:
    """Cases in which something is still to be done."""
    waiting = AccessRequest.objects.filter(state=AWAITING).values_list("pk", flat=True)
    granted = Grant.objects.exclude(state__in=OVER).values_list("request_id", flat=True)
    reviewed = Review.objects.exclude(state=SUBMITTED).values_list("request_id", flat=True)
    found = Finding.objects.exclude(state=CLOSED).exclude(case="").values_list("case", flat=True)
    return {str(each) for rows in (waiting, granted, reviewed, found) for each in rows}


def held_from() -> dict[str, int]:
    """Cases and people under a hold in force by its row, with the index from which on nothing of theirs may go."""
    rows = LegalHold.objects.exclude(state=LIFTED).values_list("case_id", "person_id", "from_index")
    return {str(case or person): at for case, person, at in rows}


def could_go() -> Cuttable:
    """The most that could be cut now."""
    said = held_by_log()
    return cuttable(now=now_ms(), terms=terms(), cases=open_cases() | said.cases, held=held_from(), people=said.people)


def in_the_way(found: Cuttable) -> tuple[list[LegalHold | SaidHold], int]:
    """The holds that lower what could be cut, those that the log alone knows among them, and how many open cases do so."""
    named = set(found.in_the_way or ())
    rows = LegalHold.objects.exclude(state=LIFTED).select_related("person", "case__system")
    standing: list[LegalHold | SaidHold] = [*rows, *(each for each in said_holds() if each.in_force)]
    holds = [each for each in standing if str(each.case_id or each.person_id) in named]
    return holds, len(named & open_cases())


def visible_cuts(viewer: Person) -> QuerySet[Cut]:
    """All of them, the newest first; none for others."""
    rows = Cut.objects.select_related("proposed_by", "approved_by")
    return rows if may_see(viewer) else rows.none()


def still_published() -> dict[str, Any]:
    """What the sealer last said of what was cut: up to which index the bundles are gone, how many stay under a hold, and what troubles it."""
    beat = last_beat("sealer") if settings.PORTAL_LOG_STORE else None
    return dict(beat.detail.get("cut") or {}) if beat else {}


def gone_before(hold: LegalHold | SaidHold) -> tuple[Cut | None, bool]:
    """The last cut that the log had said when the hold was set, and whether of its case no entry is left."""
    cut = Cut.objects.filter(said_at__lte=hold.set_at).order_by("-minimum_index").first()
    return cut, bool(cut and hold.case_id and cases_gone([str(hold.case_id)]))


def cut_for_act(pk: UUID) -> Cut | None:
    """For acts only: the act itself says who may."""
    return Cut.objects.filter(pk=pk).first()


def to_carry_out() -> list[Cut]:
    """What is approved, or said and not finished."""
    return list(Cut.objects.filter(state__in=[APPROVED, CUTTING]).order_by("proposed_at"))
