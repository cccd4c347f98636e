"""Pages of personnel lists: what was imported, a new one, and what it would do."""

from itertools import islice
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal.kept import confirming
from portal.people.signing_in import PersonRequest, signed_in
from portal.people.strength import need_fresh
from portal.people.views.people import only_administrators
from portal.personnel import actions, queries, words
from portal.personnel.forms import PersonnelForm
from portal.personnel.models import PersonnelList
from portal.personnel.plan import plan_of
from portal.personnel.reading import parse_list
from portal.personnel.states import DONE, UNDECIDED, WAITS
from portal.rows import again_after_deadlock
from portal.systems.views import found

ON_A_PAGE = 50
COMMAND_LINE = "the command line"
SHOWN_JOINERS = 100
SHOWN_QUIET = 50
QUIET = frozenset({"placed", "circle", "back"})


@require_GET
@signed_in
def personnel_lists(request: PersonRequest) -> HttpResponse:
    """What was read and what came of it, the newest first."""
    only_administrators(request)
    page = Paginator(queries.lists(request.user), ON_A_PAGE).get_page(request.GET.get("page"))
    rows = list(page.object_list)
    return render(request, "personnel/lists.html", {"page": page, "rows": zip(rows, _who(rows), strict=True)})


def _who(rows: list[PersonnelList]) -> list[dict[str, str]]:
    """For each list, who read it, confirmed it first and decided, by name."""
    names = queries.names_of(rows)
    fields = ("read_by", "asked_by", "decided_by")
    return [{field: names.get(getattr(row, field), COMMAND_LINE) for field in fields} for row in rows]


@require_http_methods(["GET", "POST"])
@signed_in
def personnel_new(request: PersonRequest) -> HttpResponse:
    """Give a list; nothing is done with it before it is looked at."""
    only_administrators(request)
    if request.method == "GET":
        need_fresh(request.actor)  # a file cannot be kept while the second factor is asked for
    form = PersonnelForm(request.POST, request.FILES) if request.method == "POST" else PersonnelForm()
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        row = form.carry_out(
            lambda: actions.read(by=request.actor, content=said["file"], query=said["query"], taken_at=said["taken_at"])
        )
        if row is not None:
            return redirect("personnel_page", row.pk)
    return render(request, "personnel/new.html", {"form": form}, status=form.status)


@require_GET
@signed_in
def personnel_page(request: PersonRequest, pk: UUID) -> HttpResponse:
    """One list: what it would do, or what it did."""
    row = found(queries.list_of(request.user, pk))
    context: dict[str, Any] = {"row": row, "who": _who([row])[0], "waits": row.state == WAITS}
    context |= _planned(request, row) if row.state in UNDECIDED else _done(row)
    return render(request, "personnel/page.html", context)


def _planned(request: PersonRequest, row: PersonnelList) -> dict[str, Any]:
    read = parse_list(bytes(row.content or b""))
    plan = plan_of(read)
    said = list(words.sentences(plan))
    quiet = [each for each in said if each[0] in QUIET]
    return {
        "undecided": True, "plan": plan, "counts": plan.counts(), "unchanged": plan.unchanged, "left_out": read.left_out,
        "acts": [text for kind, text in said if kind not in QUIET], "quiet": [text for _, text in quiet[:SHOWN_QUIET]],
        "quiet_more": max(0, len(quiet) - SHOWN_QUIET), "joiners": list(islice(plan.joiners, SHOWN_JOINERS)),
        "joiners_more": max(0, len(plan.joiners) - SHOWN_JOINERS), "may_confirm": row.asked_by != str(request.user.pk),
        "asks_second": plan.is_large and row.state != WAITS, "large": words.large(plan),
    }  # fmt: skip


def _done(row: PersonnelList) -> dict[str, Any]:
    outcome = row.outcome or {}
    return {
        "undecided": False, "done": row.state == DONE, "counts": outcome, "unchanged": outcome.get("unchanged", 0),
        "acts": [text for kind, text in outcome.get("sentences", ()) if kind not in QUIET],
    }  # fmt: skip


@require_POST
@signed_in
@confirming
def personnel_confirm(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Do what the page shows."""
    row = found(queries.list_for_act(pk))
    shown = request.POST.get("shown", "")
    done = again_after_deadlock(lambda: actions.confirm(by=request.actor, row=row, shown=shown))
    waits = done.state == WAITS
    messages.info(
        request, "It waits for a second administrator. Nothing was done yet." if waits else "The list was imported."
    )
    return redirect("personnel_page", pk)


@require_POST
@signed_in
def personnel_discard(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Lay it aside."""
    actions.discard(by=request.actor, row=found(queries.list_for_act(pk)))
    messages.info(request, "The list was laid aside. Nothing was done with it, and the file is not kept.")
    return redirect("personnel_lists")
