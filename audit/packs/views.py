"""Pages of packs and dossiers. Looking is logged; a download is an act of its own."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from audit.inert_csv import csv_file
from audit.log.append import now_ms
from audit.log.read import person_names
from audit.log.viewing import ViewerRequest, signed_in, take_away, take_list, viewed
from audit.packs import queries, shown, timestamps
from audit.packs.actions import download_dossier, download_pack, request_pack
from audit.packs.campaign import NoSuchCampaign
from audit.packs.campaign_paper import report_of_campaign
from audit.packs.errors import StepUpNeeded
from audit.packs.forms import DownloadForm, PackForm
from audit.packs.models import MADE, Pack
from audit.packs.position import NoPosition
from audit.packs.render import RenderFailed
from audit.packs.rules import MAKE_PACK, VIEW_CAMPAIGN, VIEW_CASE, fresh_ms, in_role_and_scope, need_fresh, systems_of
from audit.packs.signing import CannotSign
from audit.packs.tasks import hint

ON_A_PAGE = 25
PDF = "application/pdf"
TYPED = "pack typed"  # in the session: nobody else reads it, and it goes with the next look at the form


@require_GET
@signed_in
def pack_list(request: ViewerRequest) -> HttpResponse:
    """Packs that were asked for, of systems that the viewer audits."""
    _auditors_only(request)
    page = Paginator(queries.packs_of(request.user), ON_A_PAGE).get_page(request.GET.get("page"))
    names, systems = person_names(str(each.asked_by) for each in page.object_list), queries.system_names()
    rows = [shown.row(each, names, systems) for each in page.object_list]
    return render(request, "audit/packs/list.html", {"page": page, "rows": rows})


@require_POST
@signed_in
def pack_file(request: ViewerRequest) -> HttpResponseBase:
    """The list as CSV. On record before the first byte leaves."""
    _auditors_only(request)
    rows = list(queries.packs_of(request.user))
    take_list(by=request.actor, name="packs", rows=len(rows))
    names, systems = person_names({str(each.asked_by) for each in rows}), queries.system_names()
    lines = csv_file(shown.COLUMNS, (shown.line(each, names, systems) for each in rows))
    headers = {"Content-Disposition": 'attachment; filename="packs.csv"'}
    return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)


@require_http_methods(["GET", "POST"])
@signed_in
def pack_new(request: ViewerRequest) -> HttpResponse:
    """Ask for a pack. The second factor comes first; where it went stale meanwhile, what was typed stands in the form that comes after it."""
    mine = _auditors_only(request)
    names = {
        each: name for each, name in sorted(queries.system_names().items(), key=lambda item: item[1]) if each in mine
    }
    if request.method == "GET":
        need_fresh(request.actor)
        typed = request.session.pop(TYPED, None)
        form = PackForm(systems=names, initial=typed) if typed else PackForm(systems=names)
        return render(request, "audit/packs/new.html", {"form": form})
    form = PackForm(request.POST, systems=names)
    if not form.is_valid():
        return render(request, "audit/packs/new.html", {"form": form}, status=422)
    start, end = form.period()
    said = form.cleaned_data
    try:
        pack = request_pack(
            by=request.actor, start=start, end=end, systems=said["systems"], frameworks=said["frameworks"],
            purpose=said["purpose"],
        )  # fmt: skip
    except StepUpNeeded:
        request.session[TYPED] = form.typed()
        raise
    hint(pack.pk)
    return redirect("pack_page", pk=pack.pk)


@require_GET
@signed_in
def pack_page(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """How far a pack is, what came of it, and the download. The progress asks again by itself; that is no look."""
    pack = _pack(request, pk)
    if getattr(request, "htmx", False):
        answer = render(request, "audit/packs/progress.html", shown.progress(pack) | {"polled": True})
        if pack.state in shown.OVER:
            answer.headers["HX-Refresh"] = "true"  # the whole page has more to show now
        return answer
    viewed(request, "the pack", pack)
    names, systems = person_names([str(pack.asked_by)]), queries.system_names()
    purpose = queries.purpose_of(pack)
    context = shown.page(pack, names, systems) | {
        "stamp": timestamps.of_pack(pack), "purpose": purpose,
        "fresh": _fresh(request), "form": DownloadForm(initial={"purpose": _own(request, pack, purpose)}),
    }  # fmt: skip
    return render(request, "audit/packs/page.html", context)


@require_POST
@signed_in
def pack_download(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """The signed PDF."""
    pack, form = queries.pack_for_act(pk), DownloadForm(request.POST)
    if pack is None:
        raise Http404
    if not form.is_valid() and in_role_and_scope(request.actor, pack.systems):
        messages.error(request, "Say what the download is for. Nothing was handed out.")
        return redirect("pack_page", pk=pack.pk)
    data = download_pack(by=request.actor, pack=pack, purpose=form.cleaned_data.get("purpose", ""))
    return _file(data, f"evidence-pack-{pack.period_start:%Y%m%d}-{str(pack.pk)[:8]}.pdf")


@require_GET
@signed_in
def pack_timestamp(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """What the timestamp authority answered over the bytes of the pack. It holds nothing that is secret or personal."""
    stamp = timestamps.of_pack(_pack(request, pk))
    if stamp is None:
        raise Http404
    return _file(bytes(stamp.answer), f"evidence-pack-{str(pk)[:8]}.tsr", "application/timestamp-reply")


@require_GET
@signed_in
def case_dossier(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """The dossiers of a case."""
    if not request.user.has_perm(VIEW_CASE, str(pk)):
        raise Http404
    viewed(request, "the dossiers of the case", pk, case=pk)
    context = {"case": pk, "dossiers": queries.dossiers_of(pk), "fresh": _fresh(request)}
    return render(request, "audit/packs/dossiers.html", context)


@require_POST
@signed_in
def dossier_download(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """The signed PDF of one dossier."""
    dossier = queries.made_dossier(pk)
    if dossier is None:
        raise Http404
    data = download_dossier(by=request.actor, dossier=dossier, viewer=request.user)
    return _file(data, f"dossier-{str(dossier.case)[:8]}-{dossier.occasion}.pdf")


@require_POST
@signed_in
def campaign_report(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """The report of an attestation as a PDF, made now, up to the newest position of the log."""
    if not request.user.has_perm(VIEW_CAMPAIGN, str(pk)):
        raise PermissionDenied("You cannot see this campaign, so you get no report of it.")
    try:
        pdf = report_of_campaign(str(pk))
    except (CannotSign, NoPosition, NoSuchCampaign, RenderFailed) as trouble:
        messages.error(request, f"{trouble} Nothing was handed out.")
        return redirect("campaign_page", pk=pk)
    take_away(by=request.actor, page="the report of a campaign", about=str(pk))
    return _file(pdf, f"campaign-{str(pk)[:8]}.pdf")


def _auditors_only(request: ViewerRequest) -> frozenset[str]:
    mine = systems_of(request.user)
    if not mine and not request.user.has_perm(MAKE_PACK):
        raise PermissionDenied("Packs are made by auditors, for the systems that they audit.")
    return mine


def _pack(request: ViewerRequest, pk: UUID) -> Pack:
    pack = queries.pack_of(request.user, pk)
    if pack is None:
        raise Http404
    return pack


def _fresh(request: ViewerRequest) -> bool:
    return request.strong_at is not None and now_ms() - request.strong_at <= fresh_ms()


def _own(request: ViewerRequest, pack: Pack, purpose: str) -> str:
    """Who asked for the pack has said already what it is for."""
    return purpose if pack.state == MADE and str(pack.asked_by) == request.actor.id else ""


def _file(data: bytes, name: str, kind: str = PDF) -> HttpResponse:
    headers: dict[str, Any] = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "X-Content-Type-Options": "nosniff",
    }
    return HttpResponse(data, content_type=kind, headers=headers)
