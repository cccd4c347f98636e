"""Pages of the log: its newest entries and how far it is sealed, one entry, and what can be taken away and checked offline."""

from dataclasses import replace

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from audit.cases.inert import inert
from audit.cases.presenters import line, people_in
from audit.events import catalogue
from audit.log import pages
from audit.log.cuts import last_cut
from audit.log.errors import NotVerified
from audit.log.read import LoggedEvent, person_names
from audit.log.viewing import ViewerRequest, signed_in, take_away, viewed


class LogFilters(forms.Form):
    """What the newest entries can be narrowed to."""

    name = forms.ChoiceField(
        label="Event", required=False, choices=[("", "Any"), *((name, name) for name in sorted(catalogue))]
    )
    case = forms.UUIDField(label="Case", required=False)
    before = forms.IntegerField(required=False, min_value=0, max_value=2**62, widget=forms.HiddenInput)
    all = forms.BooleanField(required=False, widget=forms.HiddenInput)


@require_GET
@signed_in
def log_page(request: ViewerRequest) -> HttpResponse:
    """The newest entries, and how far the log is sealed. With a case, for all who may see that case."""
    form = LogFilters({key: request.GET.get(key, "") for key in ("name", "case", "before", "all")})
    form.is_valid()
    name, case, before = (
        form.cleaned_data.get("name", ""),
        str(form.cleaned_data.get("case") or ""),
        form.cleaned_data.get("before"),
    )
    _may_read(request, case)
    viewed(request, "the log", case=case)
    everything = form.cleaned_data.get("all", False)
    found = pages.newest(name, case, before) if name or case or everything else pages.newest_but_routine(before)
    names = _names(found.events)
    context = {
        "form": form, "case": case, "name": name, "lines": [line(event, names) for event in found.events], "following": found.following, "before": before,
        "all": everything, "left_out": found.left_out,
        "sealing": pages.sealing(), "cut": last_cut(),
    }  # fmt: skip
    return render(request, "audit/log/page.html", context)


@require_GET
@signed_in
def log_entry(request: ViewerRequest, index: int) -> HttpResponse:
    """One entry: its bytes, the personal values beside them, and the proof that it is in the log."""
    if request.user.has_perm("audit.view_all") and pages.is_cut(index):
        return render(request, "audit/log/cut.html", {"cut": last_cut(), "what": f"entry {index}"}, status=410)
    found = _entry(request, index)
    viewed(request, "an entry of the log", index, case=found.event.case)
    event = found.event
    shown = [replace(each, value=None if each.value is None else inert(each.value)) for each in found.personal]
    context = {
        "entry": found, "line": line(event, _names([event])), "personal": shown, "body": inert(found.body.decode()), "proof": pages.proof_of(event),
    }  # fmt: skip
    return render(request, "audit/log/entry.html", context)


@require_GET
@signed_in
def log_bytes(request: ViewerRequest, index: int) -> HttpResponse:
    """The entry's canonical bytes, exactly as they were hashed."""
    found = _entry(request, index)
    take_away(by=request.actor, page="the bytes of an entry", about=str(index), case=found.event.case)
    return _file(found.body, "application/json", f"entry-{index}.json")


@require_GET
@signed_in
def log_proof(request: ViewerRequest, index: int) -> HttpResponse:
    """The proof of one entry as a file that anyone can check offline."""
    found = _entry(request, index)
    try:
        data = pages.proof_file(found.event)
    except NotVerified as error:
        return _unproved(error)
    if data is None:
        raise Http404
    take_away(by=request.actor, page="the proof of an entry", about=str(index), case=found.event.case)
    return _file(data, "text/plain; charset=utf-8", f"entry-{index}.tlog-proof")


@require_GET
@signed_in
def log_checkpoint(_: ViewerRequest) -> HttpResponse:
    """The last checkpoint, a signed note. It holds nothing that is secret or personal."""
    try:
        data = pages.checkpoint_file()
    except NotVerified as error:
        return _unproved(error)
    if data is None:
        raise Http404
    return _file(data, "text/plain; charset=utf-8", "checkpoint")


@require_GET
@signed_in
def log_grown(_: ViewerRequest, size: int) -> HttpResponse:
    """The last checkpoint with the proof that it contains one of so many entries. It holds nothing that is secret or personal."""
    try:
        data = pages.growth_file(size)
    except NotVerified as error:
        return _unproved(error)
    if data is None:
        raise Http404
    return _file(data, "text/plain; charset=utf-8", f"log-grown-since-{size}.txt")


def _names(events: list[LoggedEvent]) -> dict[str, str]:
    """Names of the people in some entries: as the log has them now, else as the entries themselves say them."""
    said = {event.by: event.personal["by_name"] for event in events if "by_name" in event.personal}
    return said | person_names(people_in(events))


def _may_read(request: ViewerRequest, case: str) -> None:
    if request.user.has_perm("audit.view_all") or (case and request.user.has_perm("audit.view_case", case)):
        return
    if case:
        raise Http404
    raise PermissionDenied(
        "The whole log is for auditors of all systems. The entries of a case are open to all who may see that case,"
        " and the newest checkpoint, at /log/checkpoint, to everybody who is signed in."
    )


def _entry(request: ViewerRequest, index: int) -> pages.Entry:
    found = pages.entry(index)
    if found is None:
        raise Http404
    case = found.event.case
    if not request.user.has_perm("audit.view_all") and not (case and request.user.has_perm("audit.view_case", case)):
        raise Http404
    return found


def _unproved(error: NotVerified) -> HttpResponse:
    return HttpResponse(f"{error}\n", status=409, content_type="text/plain; charset=utf-8")


def _file(data: bytes, kind: str, name: str) -> HttpResponse:
    return HttpResponse(
        data,
        content_type=kind,
        headers={"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"},
    )
