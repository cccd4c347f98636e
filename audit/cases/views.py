"""Pages of cases. Who looks is logged before anything is shown; polls and parts are not."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_GET, require_POST

from audit.cases import acts, acts_page, filed, page, queries, statements
from audit.cases.bounded import TookTooLong, bounded
from audit.cases.forms import BROKEN_OFF, CaseFilters
from audit.cases.inert import one_line
from audit.cases.models import CaseRow
from audit.cases.presenters import name_of
from audit.cases.reading import Record, mark_of, record_of
from audit.cases.status import STATUSES, VERDICTS
from audit.inert_csv import csv_file
from audit.log.append import Refused
from audit.log.cuts import last_cut
from audit.log.viewing import ViewerRequest, signed_in, take_list, viewed, viewed_with

ON_A_PAGE = 50
MOST_QUERY = 1_000  # characters of an address that are kept
LATE_S = 60
"""Seconds after which a list that lags behind the log says so aloud."""


class CutFromLog(Http404):
    """The case has no entries any more; ``when`` (ms) the log was last cut, and where it begins since."""

    def __init__(self, when: tuple[int, int]) -> None:
        """Keep it."""
        super().__init__()
        self.when = when


CasePage = Callable[[ViewerRequest, UUID], HttpResponse]


def says_cut(view: CasePage) -> CasePage:
    """A page of a case that was cut says so, and when."""

    @wraps(view)
    def shown(request: ViewerRequest, pk: UUID) -> HttpResponse:
        try:
            return view(request, pk)
        except CutFromLog as cut:
            return render(request, "audit/log/cut.html", {"cut": cut.when, "what": "this case"}, status=410)

    return shown


@require_GET
@signed_in
def case_list(request: ViewerRequest) -> HttpResponse:
    """All cases that the viewer may see, whatever became of them."""
    seen = queries.visible(request.user)
    form = CaseFilters(request.GET, systems=queries.systems_in(seen))
    chosen = form.chosen()
    shown, found = _searched(request, seen, form, chosen)
    names = queries.names_in(found) if found else {}
    rows = [
        {
            "row": row,
            "system": one_line(row.system),
            "privilege": one_line(row.privilege),
            "status": STATUSES[row.status],
            "verdict": VERDICTS.get(row.verdict),
            "who": name_of(row.responder_id, names),
        }
        for row in found
    ]
    total = seen.count() if chosen else shown.paginator.count
    context = {
        "form": form,
        "chosen": chosen,
        "page": shown,
        "rows": rows,
        "total": total,
        "following": queries.following(),
        "late_s": LATE_S,
        "broken_off": form.broken_off,
        "log_cut": last_cut(),
    }
    return render(request, "audit/cases/list.html", context, status=422 if form.broken_off else 200)


@require_POST
@signed_in
def case_file(request: ViewerRequest) -> HttpResponseBase:
    """The list as CSV, narrowed as its address says. On record before the first byte leaves."""
    seen = queries.visible(request.user)
    chosen = CaseFilters(request.GET, systems=queries.systems_in(seen)).chosen()
    try:
        with bounded():
            rows = queries.narrowed(seen, chosen)
            count = rows.count()
    except TookTooLong as late:
        raise Refused(BROKEN_OFF) from late
    take_list(by=request.actor, name="cases", rows=count, query=request.GET.urlencode()[:MOST_QUERY])
    headers = {"Content-Disposition": 'attachment; filename="cases.csv"'}
    lines = csv_file(filed.COLUMNS, filed.lines(rows))
    return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)


def _searched(
    request: ViewerRequest, seen: QuerySet[CaseRow], form: CaseFilters, chosen: dict[str, Any]
) -> tuple[Page[CaseRow], list[CaseRow]]:
    """The page asked for, with its rows; nothing, and a word in the form, where the search takes too long."""
    try:
        with bounded():
            shown = Paginator(queries.narrowed(seen, chosen), ON_A_PAGE).get_page(request.GET.get("page"))
            return shown, list(shown.object_list)
    except TookTooLong:
        form.break_off(chosen)
        return Paginator(seen.none(), ON_A_PAGE).get_page(1), []


@require_GET
@signed_in
@says_cut
def case_page(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """One case, the whole record step by step."""
    record = _record(request, pk, "the case")
    request.looked_at()
    return render(request, "audit/cases/page.html", page.context(record) | _activity(request, record))


@require_GET
@signed_in
def case_activity(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Statements and verdict, as a part of other pages; it asks again by itself while something may still come.

    Asked with the mark of what is shown already, it answers 204 while nothing was added: what is being read stays as it is.
    """
    _may_view(request, pk)
    if "mark" in request.GET and request.GET["mark"] == mark_of(pk):
        return HttpResponse(status=204)
    record = _read(pk)
    viewed_with(request, "the activity of the case", pk, case=pk)
    return render(request, "audit/cases/activity.html", _activity(request, record))


@require_GET
@signed_in
@says_cut
def case_statements(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """All that was done, page by page."""
    record = _record(request, pk, "the statements of the case")
    case, only = record.case, request.GET.get("only", "")
    shown = Paginator(statements.chosen(case, only), statements.SHOWN).get_page(request.GET.get("page"))
    context = {
        "case": case, "title": page.title(case), "page": shown, "only": only,
        "rows": statements.rows(case, list(shown.object_list)), "tabs": statements.tabs(case, only),
    }  # fmt: skip
    return render(request, "audit/cases/statements.html", context)


@require_GET
@signed_in
def case_acts(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """What was done, counted and grouped by session and class, as a part of other pages."""
    _may_view(request, pk)
    use = acts.use_of(pk)
    viewed_with(request, "the actions of the case", pk, case=pk)
    found = acts.grouped(use, request.GET.get("after", ""))
    context = {
        "groups": acts_page.groups(found.groups), "totals": found.totals, "next": found.next, "many": found.many,
        "outside_says": use.outside_says,
    }  # fmt: skip
    return render(request, "audit/cases/acts.html", context | _way(request))


@require_GET
@signed_in
def case_act_rows(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Actions of a session and class, or what is to be looked at first, page by page: a part of other pages."""
    _may_view(request, pk)
    use = acts.use_of(pk)
    viewed_with(request, "the actions of the case", pk, case=pk)
    chosen = {name: request.GET.get(name, "").replace("\x00", "")[:80] for name in ("session", "kind", "only")}
    found, following = acts.rows_of(use, **chosen, after=request.GET.get("after", ""))
    context = acts_page.rows(use, found, chosen, request.GET.getlist("accepted"))
    context |= {"chosen": chosen, "next": following, "tick": request.GET.get("tick") == "1"}
    return render(request, "audit/cases/act_rows.html", context)


def _way(request: ViewerRequest) -> dict[str, str]:
    """The page of the review that this is a part of: where the rows of a group are read; and how many groups its reviewer opened, as that page says."""
    opened = request.GET.get("opened", "")
    try:
        way = {"acts_url": reverse("review_acts", args=[UUID(request.GET["review"])])}
    except (KeyError, ValueError, NoReverseMatch):
        return {"acts_url": ""}
    return way | ({"opened": opened} if opened.isascii() and opened.isdigit() and len(opened) < 6 else {})


def _may_view(request: ViewerRequest, pk: UUID) -> None:
    if not request.user.has_perm("audit.view_case", str(pk)):
        raise Http404


def _record(request: ViewerRequest, pk: UUID, name: str) -> Record:
    """The case, for those who may see it; a look at it is logged first."""
    _may_view(request, pk)
    record = _read(pk)
    viewed(request, name, pk, case=pk)
    return record


def _read(pk: UUID) -> Record:
    record = record_of(pk)
    if record is not None and record.case.asked is not None:
        return record
    when = last_cut()
    if when:
        raise CutFromLog(when)
    if record is None:
        raise Http404
    return record


def _activity(request: ViewerRequest, record: Record) -> dict[str, Any]:
    case, tick = record.case, request.GET.get("tick") == "1"
    rows = statements.first_rows(case, tick=tick, ticked=set(request.GET.getlist("accepted")))
    polls = case.grant is not None and not case.settled and not tick
    shown, folded = statements.folded(rows, fold=not polls)  # what comes by itself would shut what somebody opened
    return {
        "case": case, "rows": shown, "folded": folded, "tick": tick, "shown": len(rows), "total": len(case.activities), "verdict": page.verdict(case),
        "polls": polls, "activity_cut": record.cut, "mark": record.mark,
    }  # fmt: skip
