"""Keeps the list of cases up by following the sealed log. Run it as often as you like: it takes up where it left off.

Each case that has new entries is folded anew from its sealed entries, one case after the other, so a row never depends on what stood in it
before. Of what was done on the target so many entries are read and no more: the process that follows may be the one that ends access.
"""

from collections.abc import Iterable, Iterator
from itertools import islice

from django.db import connection, transaction

from audit.cases.case import Case
from audit.cases.fold import HANDLERS
from audit.cases.models import ActRow, ActSession, CaseListPosition, CaseRow
from audit.cases.reading import sealed_case
from audit.cases.status import status_of
from audit.cases.words import CATEGORIES, CRITERIA, MODES
from audit.log.cuts import begins_at, cases_gone
from audit.log.read import follow, size

AT_ONCE = 50
"""Rows that are written in one statement."""
NOT_FOR_A_ROW = ("activity.", "session.", "alert.")
TELLING = tuple(name for name in HANDLERS if not name.startswith(NOT_FOR_A_ROW))
"""What a row is made of, besides what was done. Connections and alerts may be many, and no row speaks of them."""
TOUCHED = """
SELECT e."case", max(s.index) FROM audit_sealed_entry s JOIN audit_event e ON e.id = s.event_id
WHERE s.index >= %s AND s.index < %s AND e."case" <> '' GROUP BY 1
"""


@transaction.atomic
def catch_up(limit: int = 2000) -> int:
    """Follow the log by at most ``limit`` entries; how many were read. Nothing where somebody else follows at the moment."""
    CaseListPosition.objects.get_or_create(pk=1)
    place = CaseListPosition.objects.select_for_update(skip_locked=True).filter(pk=1).first()
    if place is None:
        return 0
    end = min(size(), place.next_index + limit)
    if end <= place.next_index:
        return 0
    _follow(place.next_index, end)
    _leave_out(place.next_index, end)
    read, place.next_index = end - place.next_index, end
    place.save(update_fields=["next_index"])
    return read


def rebuild() -> int:
    """Empty the list and make it again from the log; how many cases it has then."""
    with transaction.atomic():
        CaseListPosition.objects.get_or_create(pk=1)
        place = CaseListPosition.objects.select_for_update().get(pk=1)
        CaseRow.objects.all().delete()
        place.next_index = 0
        place.save(update_fields=["next_index"])
    while catch_up():
        pass
    return CaseRow.objects.count()


def _follow(start: int, end: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(TOUCHED, [start, end])
        touched = dict(cursor.fetchall())
    known = dict(CaseRow.objects.filter(pk__in=touched).values_list("case", "position"))
    changed = sorted(case for case, index in touched.items() if known.get(case, -1) < index)
    gone = cases_gone(changed) if begins_at() else set()
    for some in _batches(each for each in changed if each not in gone):
        rows = [_row(case, touched[case]) for case in some]
        fields = [each.name for each in CaseRow._meta.concrete_fields if not each.primary_key]
        CaseRow.objects.bulk_create(rows, update_conflicts=True, unique_fields=["case"], update_fields=fields)


def _leave_out(start: int, end: int) -> None:
    """Cases that were cut from the log leave the lists as well. What goes on above a cut, or is held, has kept all of its entries."""
    for event in follow(start, ("cut.done",)):
        if event.index is not None and event.index < end:
            before = CaseRow.objects.filter(position__lt=event.fields["minimum_index"]).values_list("case", flat=True)
            cases = cases_gone(before)
            ActRow.objects.filter(case__in=cases).delete()
            ActSession.objects.filter(case__in=cases).delete()
            CaseRow.objects.filter(case__in=cases).delete()


def _batches(cases: Iterable[str]) -> Iterator[list[str]]:
    left = iter(cases)
    while some := list(islice(left, AT_ONCE)):
        yield some


def _row(case_id: str, last: int) -> CaseRow:
    """``last`` is the index of the case's newest entry, of whatever name."""
    row = row_of(*sealed_case(case_id, TELLING))
    row.position = max(row.position, last)
    return row


def row_of(case: Case, cut: bool) -> CaseRow:
    """What the list shows of a case; ``cut``: more was done than was counted."""
    asked, grant = case.asked, case.grant
    return CaseRow(
        case=case.id, system_id=asked.system_id if asked else "", system=(asked.system if asked else "")[:200],
        privilege=(asked.privilege if asked else "")[:200], responder_id=(asked.by if asked else "")[:80], people=_people(case),
        deciders=sorted({each.by for each in case.decisions}), incident=(asked.incident if asked else "")[:80],
        mode=asked.mode if asked else "", status=status_of(case).code,
        verdict=case.verdict, asked_at=asked.at if asked else 0, opened_at=grant.opened_at if grant else None,
        over_at=grant.over_at if grant else case.decided_at if case.ended_as else None, activities=len(case.activities),
        failed=case.failed_count, outside=case.outside_count, cut=cut, findings=sum(each.state != "closed" for each in case.findings),
        words=_words(case), position=case.position if case.position is not None else -1,
    )  # fmt: skip


def _people(case: Case) -> list[str]:
    grant, review = case.grant, case.review
    all_ = [
        case.asked.by if case.asked else "",
        *(each.by for each in case.decisions),
        *(each.decided_by for each in case.extensions),
    ]
    all_ += [grant.over_by if grant else "", review.reviewer if review else ""]
    return sorted({each for each in all_ if each and not each.startswith("process:")})


def _words(case: Case) -> str:
    asked = case.asked
    if asked is None:
        return case.id
    said = (
        case.id, asked.system, asked.privilege, asked.incident, CRITERIA.get(asked.criterion, asked.criterion),
        CATEGORIES.get(asked.category, asked.category), MODES.get(asked.mode, asked.mode), case.grant.login if case.grant else "",
        *(each.title for each in case.findings),
    )  # fmt: skip
    return " ".join(said).lower()
