"""The page of signals: from the log's own list of cases, for whoever may see the cases."""

from pathlib import Path

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from audit.cases import queries
from audit.cases.inert import one_line
from audit.cases.presenters import Names, name_of
from audit.controls.loading import load_catalogue
from audit.controls.signals import Signal, signals, since
from audit.log.append import now_ms
from audit.log.viewing import ViewerRequest, signed_in, viewed

MOST_USES = 20_000


@require_GET
@signed_in
def signals_page(request: ViewerRequest) -> HttpResponse:
    """Every kind of signal with its rule, also those that found nothing."""
    viewed(request, "the signals")
    parameters, at = load_catalogue(tuple(Path(each) for each in settings.PORTAL_CATALOGUE_DIRS)).parameters, now_ms()
    opened = queries.visible(request.user).filter(opened_at__gte=since(parameters, at)).exclude(mode="drill")
    uses = list(opened.order_by("-opened_at")[:MOST_USES])
    found = signals(uses, at, parameters)
    people = {each.who for kind in found for each in kind.signals}
    names = queries.names_in({use.responder_id: use for use in uses if use.responder_id in people}.values())
    kinds = [
        {"name": kind.name, "rule": kind.rule, "rows": [_row(each, names) for each in kind.signals]} for kind in found
    ]
    return render(
        request, "audit/signals/signals.html", {"kinds": kinds, "uses": len(uses), "cut": len(uses) == MOST_USES}
    )


def _row(signal: Signal, names: Names) -> dict[str, str]:
    who = name_of(signal.who, names) if signal.who else ""
    return {"who": who, "where": one_line(signal.where), "says": signal.says, "query": signal.narrows}
