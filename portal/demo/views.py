"""Pages that only a demo has: who can sign in, the mails, and statements to try."""

import subprocess
from uuid import UUID

import psycopg
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_http_methods

from portal.demo import tampering
from portal.demo.queries import attachment, mail_names, mails, open_grant, shown_personas
from portal.demo.statements import STATEMENTS, Answer, run
from portal.kept import confirming
from portal.people.signing_in import PersonRequest, signed_in

MAILS_PER_PAGE = 50


@require_GET
def personas(request: HttpRequest) -> HttpResponse:
    """Who can sign in, with password and present code."""
    return render(request, "demo/personas.html", {"shown": shown_personas()})


@require_GET
def mail_list(request: HttpRequest) -> HttpResponse:
    """Mails that left the portal, a page of them at a time."""
    page = Paginator(mail_names(), MAILS_PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "demo/mails.html", {"mails": mails(page.object_list), "page": page})


@require_GET
def mail_attachment(_request: HttpRequest, name: str, wanted: str) -> HttpResponse:
    """One attachment, as PDF."""
    found = attachment(name, wanted)
    if found is None:
        raise Http404
    return HttpResponse(
        found, content_type="application/pdf", headers={"Content-Disposition": 'inline; filename="attachment.pdf"'}
    )


@require_http_methods(["GET", "POST"])
def tamper(request: HttpRequest) -> HttpResponse:
    """Change the log as its database's superuser, check it, put it right again. Anybody may: it is a demo."""
    if not tampering.superuser():
        raise Http404
    ran: list[tampering.Ran] = []
    trouble = ""
    try:
        match request.POST.get("act"):
            case "tamper" if request.POST.get("kind") in tampering.KINDS:
                tampering.tamper(request.POST["kind"])
            case "mend":
                tampering.mend()
            case "check":
                ran = tampering.checks()
    except (psycopg.Error, LookupError, OSError, subprocess.TimeoutExpired) as error:
        trouble = f"It did not work: {type(error).__name__}. Nothing was changed."
    context = {
        "kinds": tampering.KINDS, "done": tampering.done(), "ran": ran, "trouble": trouble,
    }  # fmt: skip
    return render(request, "demo/tampering.html", context)


@require_http_methods(["GET", "POST"])
@signed_in
@confirming
def try_statements(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Choose statements and run them as the granted login."""
    grant = open_grant(request.user, pk)
    if grant is None:
        raise Http404
    answers: list[Answer] = []
    trouble = ""
    if request.method == "POST":
        try:
            answers = run(by=request.actor, grant=grant, chosen=request.POST.getlist("statement"))
        except psycopg.OperationalError:
            trouble = "The target refused the login: the access is probably over."
    drill = grant.request.mode == "drill"
    context = {"grant": grant, "statements": STATEMENTS, "answers": answers, "trouble": trouble, "drill": drill}
    return render(request, "demo/try.html", context)
