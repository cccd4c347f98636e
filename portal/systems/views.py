"""Pages of systems: what stands, what is proposed, and what a target answers."""

from typing import TypeVar
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal.access_requests.rules import allows
from portal.eligibility import seen
from portal.eligibility.queries import conflicts_on, keeps_systems, lists_of_system, who_is_here
from portal.kept import KeptForm, confirming
from portal.people.rights import ADMINISTER, MANAGE
from portal.people.signing_in import PersonRequest, signed_in
from portal.people.strength import need_fresh
from portal.sealed.queries import last_resorts
from portal.stops.rules import may_start
from portal.systems import actions, probing, queries
from portal.systems.facts import CHANGE, WORDS, differences
from portal.systems.forms import FORMS, DryRunForm, PrivilegeForm, SourceForm
from portal.systems.models import ProposedChange, System
from portal.systems.offers import kinds_on_offer

T = TypeVar("T")
WAITS = "It waits for a second administrator."


def found(row: T | None) -> T:
    """The row, or the page for what is not there."""
    if row is None:
        raise Http404
    return row


@require_GET
@signed_in
def systems(request: PersonRequest) -> HttpResponse:
    """Systems that the viewer looks after or audits, and what waits."""
    shown, waiting = list(seen.systems(request.user)), seen.changes_waiting(request.user)
    last = last_resorts(shown)
    administers = request.user.has_perm(ADMINISTER)
    if not keeps_systems(request.user.pk):
        raise PermissionDenied("Systems are looked after by administrators and owners.")
    return render(
        request,
        "systems/systems.html",
        {
            "systems": [(each, last[each.pk]) for each in shown],
            "waiting": waiting,
            "administers": administers,
            "kinds": kinds_on_offer(),
        },
    )


@require_GET
@signed_in
def system_page(request: PersonRequest, pk: UUID) -> HttpResponse:
    """One system: description, privileges, lists, source, proposals."""
    return _system_page(request, found(seen.system(request.user, pk)))


def _system_page(request: PersonRequest, system: System, status: int = 200, **more: object) -> HttpResponse:
    roles, listed = lists_of_system(system)
    context = {
        "system": system, "conflicts": conflicts_on(system),
        "roles": roles, "eligibilities": listed, "changes": seen.changes_of(system), "source": seen.source_of(system),
        "manages": request.user.has_perm(MANAGE, system), "administers": request.user.has_perm(ADMINISTER, system),
        "dry_run_form": DryRunForm(), "settings": _shown(system.settings), "has_secret": bool(system.secret),
        "may_stop": allows(may_start, request.actor, system), "last_resort": last_resorts([system])[system.pk],
    }  # fmt: skip
    return render(request, "systems/system.html", context | more, status=status)


def _shown(settings: dict[str, object]) -> list[tuple[str, str]]:
    return [
        (WORDS.get(name, name), ", ".join(map(str, value)) if isinstance(value, list) else str(value))
        for name, value in sorted(settings.items())
    ]


@sensitive_variables("form")
@require_http_methods(["GET", "POST"])
@signed_in
@confirming
def system_new(request: PersonRequest, kind: str) -> HttpResponse:
    """Propose a new system."""
    if kind not in dict(kinds_on_offer()):
        raise Http404
    if not request.user.has_perm(ADMINISTER):
        raise PermissionDenied("Only administrators register systems.")
    need_fresh(request.actor)
    form = FORMS[kind](request.POST or None, people=who_is_here())
    if request.method == "POST" and form.is_valid():
        change = form.carry_out(
            lambda: actions.propose(by=request.actor, kind=actions.REGISTER, after=form.after(), secret=form.secret())
        )
        if change is not None:
            return _proposed(request, change)
    return _form_page(request, form, title="Register a system")


@sensitive_variables("form")
@require_http_methods(["GET", "POST"])
@signed_in
@confirming
def system_change(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Propose a change of a system."""
    system = _to_change(request, pk, CHANGE)
    need_fresh(request.actor)
    form = FORMS[system.connector](request.POST or None, people=who_is_here(), present=system)
    if request.method == "POST" and form.is_valid():
        change = form.carry_out(
            lambda: actions.propose(
                by=request.actor, kind=CHANGE, system=system, after=form.after(), secret=form.secret()
            )
        )
        if change is not None:
            return _proposed(request, change)
    return _form_page(request, form, title=f"Change {system.name}", system=system)


@require_http_methods(["GET", "POST"])
@signed_in
@confirming
def privilege_new(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Propose a privilege."""
    system = _to_change(request, pk, actions.PRIVILEGE)
    need_fresh(request.actor)
    form = PrivilegeForm(request.POST or None, system=system)
    if request.method == "POST" and form.is_valid():
        change = form.carry_out(
            lambda: actions.propose(by=request.actor, kind=actions.PRIVILEGE, system=system, after=form.cleaned_data)
        )
        if change is not None:
            return _proposed(request, change)
    return _form_page(request, form, title=f"Add a privilege to {system.name}", system=system)


@require_http_methods(["GET", "POST"])
@signed_in
@confirming
def source_declare(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Propose how the system reports what was done on it."""
    system = _to_change(request, pk, actions.SOURCE)
    need_fresh(request.actor)
    present = seen.source_of(system)
    initial = (
        {"counting": present.after["counting"], **present.after["settings"]}
        if present
        else {"portal_login": system.settings.get("user", "")}
    )
    form = SourceForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        change = form.carry_out(
            lambda: actions.propose(by=request.actor, kind=actions.SOURCE, system=system, after=form.after())
        )
        if change is not None:
            return _proposed(request, change)
    return _form_page(request, form, title=f"Declare the source of {system.name}", system=system)


def _to_change(request: PersonRequest, pk: UUID, kind: str) -> System:
    """The system that a proposal would be about. Whoever may not propose finds no form; one that they send is refused, on record."""
    system = seen.managed_system(request.user, pk)
    if system is None and request.method == "POST":
        actions.propose(by=request.actor, kind=kind, system=found(queries.system_for_act(pk)), after={})
    return found(system)


def _proposed(request: PersonRequest, change: ProposedChange) -> HttpResponse:
    messages.info(request, WAITS)
    return redirect("change_page", change.pk)


def _form_page(request: PersonRequest, form: KeptForm, **context: object) -> HttpResponse:
    return render(request, "systems/form.html", {"form": form, **context}, status=form.status)


@require_GET
@signed_in
def change_page(request: PersonRequest, pk: UUID) -> HttpResponse:
    """One proposal: what it would change, and who decided."""
    return _change_page(request, pk)


def _change_page(request: PersonRequest, pk: UUID, **more: object) -> HttpResponse:
    change = found(seen.change(request.user, pk))
    context = {
        "change": change, "rows": differences(change), "new_secret": bool(change.secret),
        "may_approve": request.user.has_perm(ADMINISTER, change.system) and change.proposed_by_id != request.user.pk,
        "manages": request.user.has_perm(MANAGE, change.system),
    }  # fmt: skip
    return render(request, "systems/change.html", context | more)


@require_POST
@signed_in
def change_decide(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Approve or decline a proposal."""
    change = found(queries.change_for_act(pk))
    if request.POST.get("decision") == "approve":
        system = actions.approve(by=request.actor, change=change)
        return redirect("system_page", system.pk)
    actions.decline(by=request.actor, change=change)
    return redirect("change_page", change.pk)


@require_POST
@signed_in
def change_test(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Test the connection that a proposal describes."""
    change = found(queries.change_for_act(pk))
    return _change_page(request, pk, checks=probing.test_connection(by=request.actor, about=change))


@require_POST
@signed_in
def system_test(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Test the connection of a system."""
    system = found(queries.system_for_act(pk))
    checks = probing.test_connection(by=request.actor, about=system)
    return _system_page(request, found(seen.system(request.user, pk)), checks=checks)


@require_POST
@signed_in
def dry_run(request: PersonRequest, pk: UUID) -> HttpResponse:
    """What opening a privilege would do; nothing is changed."""
    privilege, form = found(queries.privilege_for_act(pk)), DryRunForm(request.POST)
    probing.may_ask(request.actor, privilege.system)
    system = found(seen.system(request.user, privilege.system_id))
    if not form.is_valid():
        return _system_page(request, system, status=422, dry_run_form=form)
    told = probing.dry_run(by=request.actor, privilege=privilege, minutes=form.cleaned_data["minutes"])
    return _system_page(request, system, dry_run_of=privilege, dry_run_says=told)
