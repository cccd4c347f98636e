"""Pages of receivers, for administrators."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal.kept import confirming
from portal.notifications.channels.webhook import actions, queries
from portal.notifications.channels.webhook.forms import ReceiverForm
from portal.notifications.channels.webhook.models import Receiver
from portal.notifications.kinds import TOPICS
from portal.notifications.queries import line_of
from portal.notifications.seeing import looked_at
from portal.people.rights import ADMINISTER
from portal.people.signing_in import PersonRequest, signed_in
from portal.people.strength import need_fresh


@require_GET
@signed_in
def receivers(request: PersonRequest) -> HttpResponse:
    """Where alerts go besides mail, and how each receiver does."""
    if not request.user.has_perm(ADMINISTER):
        raise PermissionDenied(actions.ONLY)
    rows = queries.in_use()
    courses = queries.courses(rows)
    lines = [{"receiver": each, "course": courses.get(each.address), "topics": _topics(each)} for each in rows]
    return render(request, "receivers/receivers.html", {"lines": lines, "total": queries.all_for(request.user).count()})


@sensitive_variables("made")
@require_http_methods(["GET", "POST"])
@signed_in
@confirming
def receiver_new(request: PersonRequest) -> HttpResponse:
    """Add one; its secret is shown once."""
    if not request.user.has_perm(ADMINISTER):
        raise PermissionDenied(actions.ONLY)
    need_fresh(request.actor)
    form = ReceiverForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        made = form.carry_out(lambda: actions.add(by=request.actor, **form.cleaned_data))
        if made is not None:
            return _show_secret(request, *made)
    return render(request, "receivers/new.html", {"form": form}, status=form.status)


@require_http_methods(["GET", "POST"])
@signed_in
@confirming
def receiver_page(request: PersonRequest, pk: UUID) -> HttpResponse:
    """One receiver: what went to it, and what can be changed."""
    receiver = _found(pk)
    if request.method == "GET" and not request.user.has_perm(ADMINISTER):
        raise Http404
    if request.method == "GET":
        looked_at(request)
    first = {"name": receiver.name, "topics": receiver.topics}
    form = ReceiverForm(request.POST or None, present=True, initial=first)
    if request.method == "POST":
        actions.may_configure(by=request.actor, about=receiver)
        if form.is_valid():
            form.carry_out(lambda: actions.change(by=request.actor, receiver=receiver, **form.cleaned_data))
            if form.status == 200:
                messages.info(request, "Changed. The other administrators and the security list are told.")
                return redirect("receiver_page", pk)
    context = {
        "receiver": receiver, "form": form, "topics": _topics(receiver), "alerts": [line_of(each) for each in queries.last_alerts(receiver)],
        "course": queries.courses([receiver]).get(receiver.address),
    }  # fmt: skip
    return render(request, "receivers/receiver.html", context, status=form.status)


@sensitive_variables("made")
@require_POST
@signed_in
def receiver_secret(request: PersonRequest, pk: UUID) -> HttpResponse:
    """A new secret, shown once."""
    made = actions.replace_secret(by=request.actor, receiver=_found(pk))
    return _show_secret(request, *made)


@require_POST
@signed_in
def receiver_try(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Queue a trial alert."""
    actions.try_out(by=request.actor, receiver=_found(pk))
    messages.info(request, "A trial alert is on its way. Load the page again to see what became of it.")
    return redirect("receiver_page", pk)


@require_POST
@signed_in
def receiver_retire(request: PersonRequest, pk: UUID) -> HttpResponse:
    """It is told nothing more."""
    retired = actions.retire(by=request.actor, receiver=_found(pk))
    messages.info(request, f"{retired.name} is told nothing more.")
    return redirect("receivers")


@sensitive_variables("secret")
def _show_secret(request: PersonRequest, receiver: Receiver, secret: str) -> HttpResponse:
    context = {"receiver": receiver, "secret": secret, "hours": actions.OLD_SECRET_HOURS}
    return render(request, "receivers/secret.html", context)


def _found(pk: UUID) -> Receiver:
    receiver = queries.receiver_for_act(pk)
    if receiver is None:
        raise Http404
    return receiver


def _topics(receiver: Receiver) -> list[str]:
    return [TOPICS[each] for each in receiver.topics if each in TOPICS]
