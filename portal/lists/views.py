"""All lists on one page, each as a file, and saved searches."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from audit.inert_csv import csv_file
from audit.log.viewing import take_list
from portal.errors import RefusedByPolicy
from portal.lists import actions, queries
from portal.lists.kinds import EXPORTED, KINDS
from portal.people.signing_in import PersonRequest, safe_next, signed_in
from portal.systems.views import found

AT_ONCE = 1_000


@require_GET
@signed_in
def lists(request: PersonRequest) -> HttpResponse:
    """Every list with its total and as a file; and the searches that were saved."""
    viewer = request.user
    rows = [
        {"name": name, "kind": kind, "total": kind.rows(viewer).count(), "has_page": kind.page != "lists"}
        for name, kind in EXPORTED.items()
        if kind.rows is not None and kind.may(viewer)
    ]
    searches = [
        {"search": each, "of": KINDS[each.list].title, "url": queries.address_of(each)}
        for each in queries.searches_of(viewer)
    ]
    return render(request, "lists/lists.html", {"rows": rows, "searches": searches})


@require_POST
@signed_in
def list_file(request: PersonRequest, name: str) -> HttpResponseBase:
    """One list as CSV, narrowed as its page was. On record before the first byte leaves."""
    kind = EXPORTED.get(name)
    if kind is None:
        raise Http404
    if not kind.may(request.user):
        raise PermissionDenied("This list is not yours to see.")
    said = {key: request.GET.get(key, "") for key in (*kind.keys, "all")}
    rows = kind.chosen(request.user, said)
    take_list(by=request.actor, name=name, rows=rows.count(), query=queries.cleaned(name, request.GET.urlencode()))
    return as_file(name, csv_file([heading for heading, _ in kind.columns], rows.iterator(chunk_size=AT_ONCE)))


def as_file(name: str, parts: Any) -> StreamingHttpResponse:
    """A file to be saved, never shown in place."""
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return StreamingHttpResponse(parts, content_type="text/csv; charset=utf-8", headers=headers)


@require_POST
@signed_in
def search_save(request: PersonRequest) -> HttpResponse:
    """Save what a list is narrowed to, and come back to it."""
    said = request.POST
    try:
        actions.save_search(
            by=request.actor,
            kind=said.get("kind", ""),
            name=said.get("name", ""),
            query=said.get("query", ""),
            shared="shared" in said,
        )
        messages.info(request, "The search was saved.")
    except RefusedByPolicy as refusal:
        messages.error(request, refusal.sentence)
    return redirect(safe_next(request))


@require_POST
@signed_in
def search_remove(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Remove a search of one's own."""
    actions.remove_search(by=request.actor, search=found(queries.search_for_act(pk)))
    messages.info(request, "The search was removed.")
    return redirect("lists")
