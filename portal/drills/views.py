"""Pages of drills: what is owed, starting one, and its sheet."""

from uuid import UUID

from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from audit.log.viewing import viewed
from portal.access_requests.options import Option, options_of, privilege_for_act
from portal.clock import now
from portal.drills import queries
from portal.drills.actions import found_of, start
from portal.drills.duties import due_of
from portal.drills.forms import DrillForm
from portal.drills.models import Drill
from portal.drills.sheet import kept
from portal.hints import hint
from portal.kept import confirming
from portal.notifications.seeing import looked_at
from portal.people.signing_in import PersonRequest, signed_in

PER_PAGE = 25


@require_GET
@signed_in
def drills(request: PersonRequest) -> HttpResponse:
    """What each system owes, and how earlier drills went."""
    looked_at(request)
    possible: dict[UUID, list[UUID]] = {}
    for each in _possible(request):
        possible.setdefault(each.privilege.system_id, []).append(each.privilege.pk)
    at = now()
    rows = [
        {"due": due, "late": due.due_at <= at, "may_start": possible.get(due.system.pk, [])}
        for due in due_of(queries.systems_of(request.user))
    ]
    page = Paginator(queries.visible(request.user), PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "drills/drills.html", {"rows": rows, "page": page})


@require_http_methods(["GET", "POST"])
@signed_in
@confirming
def drill_new(request: PersonRequest) -> HttpResponse:
    """Choose what is opened, say what harmless thing is done, and ask as in an emergency."""
    repeats = _repeated(request)
    options = [each for each in _possible(request) if repeats is None or each.privilege.system_id == repeats.system_id]
    named = _key(request.GET.get("privilege")) or (repeats.request.privilege_id if repeats else None)
    chosen = next((each for each in options if each.privilege.pk == named), None)
    if chosen is None and named is None and len(options) == 1:
        chosen = options[0]
    if chosen is None or chosen.rules is None:
        return _choose(request, options, named, repeats)
    form = DrillForm(
        request.POST or None, rules=chosen.rules, initial={"act": repeats.request.reason} if repeats else {}
    )
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        made = form.carry_out(
            lambda: start(
                by=request.actor, privilege=chosen.privilege, act=said["act"], minutes=said["minutes"], repeats=repeats
            )
        )
        if made is not None:
            hint("portal.outbox")
            return redirect("drill_page", pk=made.pk)
    context = {"form": form, "chosen": chosen, "repeats": repeats}
    return render(request, "drills/new.html", context, status=form.status)


@require_GET
@signed_in
def drill_page(request: PersonRequest, pk: UUID) -> HttpResponse:
    """The sheet: as it fills itself, or as it was found."""
    drill = queries.visible(request.user).filter(pk=pk).first()
    if drill is None:
        raise Http404
    viewed(request, "the sheet of the drill", drill)
    judged = drill.judged_at is not None
    context = {
        "drill": drill, "steps": kept(drill.steps) if judged else found_of(drill, over=False), "judged": judged,
        "repetition": drill.repetitions.first(), "approvals": list(drill.request.approvals.select_related("approver")),
        "may_repeat": drill.worked is False and any(each.privilege.system_id == drill.system_id for each in _possible(request)),
    }  # fmt: skip
    return render(request, "drills/drill.html", context)


def _possible(request: PersonRequest) -> list[Option]:
    """What the viewer may ask for, where the policy knows drills."""
    return [each for each in options_of(request.user) if each.allows("drill")]


def _choose(request: PersonRequest, options: list[Option], named: UUID | None, repeats: Drill | None) -> HttpResponse:
    """Pick one. What is not on the viewer's list is not there; a form that was sent all the same is refused, on record."""
    if named is not None:
        privilege = privilege_for_act(named) if request.method == "POST" else None
        if privilege is None:
            raise Http404
        start(
            by=request.actor, privilege=privilege, act="", minutes=0, repeats=repeats
        )  # refused, and that is on record
    return render(request, "drills/choose.html", {"options": options, "repeats": repeats})


def _repeated(request: PersonRequest) -> Drill | None:
    named = _key(request.GET.get("repeats"))
    found = queries.visible(request.user).filter(pk=named).first() if named else None
    if named and found is None:
        raise Http404
    return found


def _key(said: str | None) -> UUID | None:
    try:
        return UUID(said) if said else None
    except ValueError:
        return None
