"""One's own alerts, and the word that one has seen them."""

from uuid import UUID

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal.became import became
from portal.clock import now
from portal.notifications.actions import LINK, acknowledge
from portal.notifications.channels import NotTaken
from portal.notifications.links import follow
from portal.notifications.messages import words
from portal.notifications.models import Alert
from portal.notifications.queries import alert_for_act, alerts_for, title_of
from portal.notifications.seeing import read
from portal.people.signing_in import PersonRequest, safe_next, signed_in

PER_PAGE = 25


@require_GET
@signed_in
def alerts(request: PersonRequest) -> HttpResponse:
    """What the portal told the viewer, the newest first, and what became of it."""
    page = Paginator(alerts_for(request.user), PER_PAGE).get_page(request.GET.get("page"))
    read(request, page.object_list)
    now_so = became(request.user, page.object_list)
    lines = [_line(each) | {"became": now_so.get(each.pk)} for each in page]
    return render(request, "notifications/alerts.html", {"page": page, "lines": lines})


@require_POST
@signed_in
def acknowledge_alert(request: PersonRequest, pk: UUID) -> HttpResponse:
    """ "I have seen it": recorded, decides nothing; then back to where one was."""
    alert = alert_for_act(pk)
    if alert is None:
        raise Http404
    acknowledge(by=request.actor, alert=alert)
    return redirect(safe_next(request) if "next" in request.POST else "alerts")


@require_http_methods(["GET", "HEAD", "POST"])
def alert_link(request: HttpRequest, token: str) -> HttpResponse:
    """The signed link of a message. A GET shows one button and changes nothing, so programs that look links up acknowledge nothing."""
    link = follow(token, getattr(request, "actor", None), now())
    if request.method == "POST" and link.alert is not None and link.by is not None:
        acknowledge(by=link.by, alert=link.alert, over=LINK)
        return redirect("alert_link", token=token)
    status = link.trouble.status if link.trouble else 200
    title = title_of(link.alert) if link.alert else ""
    return render(request, "notifications/link.html", {"link": link, "title": title}, status=status)


def _line(alert: Alert) -> dict[str, object]:
    try:
        subject, body = words(alert)
    except NotTaken:  # an old kind without words: its name is all there is
        subject, body = alert.kind, ""
    return {
        "alert": alert,
        "title": title_of(alert),
        "subject": subject,
        "paragraphs": body.split("\n\n") if body else [],
    }
