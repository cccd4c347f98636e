"""Acts on an open grant: reveal, more time, done, end another's."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from audit.log.viewing import viewed, viewed_with
from portal.access_requests.views.page import answer
from portal.errors import ChangedMeanwhile
from portal.grants import ending, extending
from portal.grants.actions import ask_extension, decide_extension, extend_bypass, give_back, reveal, revoke
from portal.grants.forms import ExtensionDecisionForm, ExtensionForm, RevocationForm
from portal.grants.hurry import hurry
from portal.grants.life import extension_for_act, grant_for_act, life_of
from portal.grants.models import Grant
from portal.grants.releasing import release
from portal.grants.running import what_would_be_cut
from portal.grants.way_in import way_in
from portal.hints import hint
from portal.kept import confirming
from portal.people.signing_in import PersonRequest, signed_in
from portal.policy.queries import rules_of

NEVER_KEPT = "no-store, private"


@sensitive_variables("password")
@require_http_methods(["GET", "POST"])
@signed_in
@confirming
def grant_reveal(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Show the password, once for each time that it is asked for, on a page that no browser keeps."""
    grant = _grant(pk)
    if request.method == "GET":
        if grant.person_id != request.user.pk:
            raise Http404
        return redirect("request_page", pk=grant.request_id)
    try:
        password = reveal(by=request.actor, grant=grant)
    except ChangedMeanwhile as refusal:
        return render(request, "grants/shown_already.html", {"grant": grant, "sentence": refusal.sentence}, status=409)
    answered = render(
        request,
        "grants/password.html",
        {
            "grant": grant,
            "way": way_in(grant),
            "password": password.reveal(),
            "secret_label": "Secret" if grant.account_id else "Password",
        },
    )
    answered.headers["Cache-Control"] = NEVER_KEPT
    return answered


@require_POST
@signed_in
@confirming
def grant_release(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Let the holder of a sealed account be shown its secret, once."""
    grant = _grant(pk)
    release(by=request.actor, grant=grant)
    messages.info(request, "Released: the secret can be shown once, within a quarter of an hour.")
    return redirect("request_page", pk=grant.request_id)


@require_POST
@signed_in
def grant_return(request: PersonRequest, pk: UUID) -> HttpResponse:
    """ "I am done"."""
    grant = give_back(by=request.actor, grant=_grant(pk))
    _end_now(grant)
    return redirect("request_page", pk=grant.request_id)


@require_POST
@signed_in
def grant_extend(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Ask for more time."""
    grant = _grant(pk)
    form = ExtensionForm(request.POST, longest=rules_of(grant.request.policy).minutes_for(grant.request.mode))
    if form.is_valid():
        said = form.cleaned_data
        form.carry_out(
            lambda: ask_extension(by=request.actor, grant=grant, minutes=said["minutes"], reason=said["reason"])
        )
    return answer(request, grant.request_id, extension=form)


@require_POST
@signed_in
@confirming
def bypass_extend(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Take more time for one's own bypass."""
    grant = _grant(pk)
    form = ExtensionForm(request.POST, longest=rules_of(grant.request.policy).minutes_for(grant.request.mode))
    if form.is_valid():
        said = form.cleaned_data
        taken = form.carry_out(
            lambda: extend_bypass(by=request.actor, grant=grant, minutes=said["minutes"], reason=said["reason"])
        )
        if taken is not None:
            hurry(extending.run, grant.pk)
            hint("portal.grants.extend", str(grant.pk))
    return answer(request, grant.request_id, extension=form)


@require_POST
@signed_in
@confirming
def extension_decide(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Give more time or not."""
    extension = extension_for_act(pk)
    if extension is None:
        raise Http404
    form = ExtensionDecisionForm(request.POST)
    if form.is_valid():
        give, comment = form.cleaned_data["decision"] == "give", form.cleaned_data["comment"]
        if (
            form.carry_out(lambda: decide_extension(by=request.actor, extension=extension, give=give, comment=comment))
            and give
        ):
            hurry(extending.run, extension.grant_id)
            hint("portal.grants.extend", str(extension.grant_id))
    return answer(request, extension.grant.request_id, more=form)


@require_http_methods(["GET", "POST"])
@signed_in
@confirming
def grant_revoke(request: PersonRequest, pk: UUID) -> HttpResponse:
    """End another person's access now; before that, see what runs in it and would be cut."""
    if request.method == "GET":
        return _before_revoking(request, pk)
    grant, form = _grant(pk), RevocationForm(request.POST)
    if form.is_valid():
        ended = form.carry_out(lambda: revoke(by=request.actor, grant=grant, reason=form.cleaned_data["reason"]))
        if ended is not None:
            _end_now(ended)
    return answer(request, grant.request_id, revocation=form)


def _before_revoking(request: PersonRequest, pk: UUID) -> HttpResponse:
    grant = _grant(pk)
    life = life_of(request.user, request.actor, grant.request_id)
    if life is None or life.grant is None or "revoke" not in life.may:
        raise Http404
    (viewed_with if getattr(request, "htmx", False) else viewed)(request, "the request", life.request)
    context = {"grant": grant, "access": life.request, "cuts": what_would_be_cut([life.grant])}
    return render(request, "grants/end.html", context | {"revocation": RevocationForm()})


def _end_now(grant: Grant) -> None:
    hurry(ending.run, grant.pk)
    hint("portal.grants.end", str(grant.pk))


def _grant(pk: UUID) -> Grant:
    found = grant_for_act(pk)
    if found is None:
        raise Http404
    return found
