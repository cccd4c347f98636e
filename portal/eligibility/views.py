"""Pages of the lists: propose, decide as the second person, end."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal.access_requests.rules import allows
from portal.clock import now
from portal.eligibility import actions, lending, queries, rules, seen
from portal.eligibility.forms import EligibilityForm, LendForm, RoleForm, ShortenForm, chosen
from portal.eligibility.models import Eligibility, RoleAssignment
from portal.grants import narrowing
from portal.kept import KeptForm, confirming
from portal.people import factors
from portal.people.rights import ADMINISTER
from portal.people.signing_in import PersonRequest, signed_in
from portal.people.strength import need_fresh
from portal.systems.views import found

WAITS = "It waits for a second person."


@require_http_methods(["GET", "POST"])
@signed_in
@confirming
def role_new(request: PersonRequest) -> HttpResponse:
    """Propose a role."""
    systems, everywhere = seen.administered_systems(request.user), request.user.has_perm(ADMINISTER)
    if not everywhere and not systems.exists():
        raise PermissionDenied(rules.ONLY_ADMINISTRATORS)
    need_fresh(request.actor)
    initial = {name: chosen(request.GET.get(name)) for name in ("person", "system")}
    form = RoleForm(
        request.POST or None,
        initial=initial,
        people=queries.who_may_be_put_on(request.user),
        systems=systems,
        everywhere=everywhere,
    )
    if request.method == "POST" and form.is_valid():
        made = form.carry_out(lambda: actions.propose_role(by=request.actor, **form.cleaned_data))
        if made is not None:
            messages.info(request, WAITS)
            return redirect("role_page", made.pk)
    return _form_page(request, form, title="Propose a role")


@require_http_methods(["GET", "POST"])
@signed_in
@confirming
def role_lend(request: PersonRequest) -> HttpResponse:
    """Have somebody approve in one's place during one's leave."""
    systems, everywhere = lending.lendable(request.user.pk)
    if not everywhere and not systems.exists():
        raise PermissionDenied(lending.ONLY_APPROVERS)
    form = LendForm(
        request.POST or None, people=queries.who_may_be_put_on(request.user), systems=systems, everywhere=everywhere
    )
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        made = form.carry_out(
            lambda: actions.lend_role(
                by=request.actor, to=said["person"], system=said["system"], from_at=said["from_at"] or now(), to_at=said["to_at"]
            )
        )  # fmt: skip
        if made is not None:
            messages.info(request, WAITS)
            return redirect("role_page", made.pk)
    return _form_page(request, form, title="While you are away")


@require_POST
@signed_in
def role_take_back(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Back from leave."""
    actions.take_back(by=request.actor, assignment=found(queries.role_for_act(pk)))
    return redirect("role_page", pk)


@require_http_methods(["GET", "POST"])
@signed_in
@confirming
def eligibility_new(request: PersonRequest) -> HttpResponse:
    """Propose that somebody may ask for a privilege."""
    systems = seen.managed_systems(request.user)
    if not systems:
        raise PermissionDenied(rules.ONLY_MANAGERS)
    need_fresh(request.actor)
    initial = {name: chosen(request.GET.get(name)) for name in ("person", "privilege")}
    form = EligibilityForm(
        request.POST or None, initial=initial, people=queries.who_may_be_put_on(request.user), systems=systems
    )
    if request.method == "POST" and form.is_valid():
        made = form.carry_out(lambda: actions.propose_eligibility(by=request.actor, **form.cleaned_data))
        if made is not None:
            messages.info(request, WAITS)
            return redirect("eligibility_page", made.pk)
    return _form_page(request, form, title="Put somebody on a list")


def _form_page(request: PersonRequest, form: KeptForm, **context: object) -> HttpResponse:
    return render(request, "eligibility/form.html", {"form": form, **context}, status=form.status)


@require_GET
@signed_in
def role_page(request: PersonRequest, pk: UUID) -> HttpResponse:
    """One role of one person."""
    role = found(queries.visible_role(request.user, pk))
    administers = request.user.has_perm(ADMINISTER, role.system) and role.person_id != request.user.pk
    context = {
        "row": role,
        "kind": "role",
        "words": role.get_role_display(),
        "may_decide": administers,
        "may_end": administers,
        "may_take_back": role.lent_by_id == request.user.pk and role.ended_at is None,
    }
    return render(request, "eligibility/row.html", context | _standing(role))


@require_GET
@signed_in
def eligibility_page(request: PersonRequest, pk: UUID) -> HttpResponse:
    """One line of a list."""
    return _eligibility_page(request, found(queries.visible_eligibility(request.user, pk)))


def _eligibility_page(request: PersonRequest, row: Eligibility, form: ShortenForm | None = None) -> HttpResponse:
    context = {
        "row": row, "kind": "eligibility", "words": row.privilege.name, "shorten_form": form or ShortenForm(),
        "may_decide": allows(rules.is_manager, request.actor, row), "may_end": allows(rules.is_narrower, request.actor, row),
    }  # fmt: skip
    return render(request, "eligibility/row.html", context | _standing(row), status=form.status if form else 200)


def _standing(row: RoleAssignment | Eligibility) -> dict[str, bool]:
    waits = row.approved_at is None and row.ended_at is None
    return {
        "waits": waits,
        "not_enrolled": waits and not factors.is_enrolled(row.person),
        "holds": row.approved_at is not None and row.ended_at is None,
    }


@require_POST
@signed_in
def role_decide(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Approve or decline a proposed role."""
    role = found(queries.role_for_act(pk))
    decide = actions.approve_role if request.POST.get("decision") == "approve" else actions.decline_role
    decide(by=request.actor, assignment=role)
    return redirect("role_page", pk)


@require_POST
@signed_in
def role_end(request: PersonRequest, pk: UUID) -> HttpResponse:
    """End a role at once, with what was opened on its strength."""
    narrowing.end_role(by=request.actor, assignment=found(queries.role_for_act(pk)))
    return redirect("role_page", pk)


@require_POST
@signed_in
def eligibility_decide(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Approve or decline a proposed eligibility."""
    row = found(queries.eligibility_for_act(pk))
    decide = actions.approve_eligibility if request.POST.get("decision") == "approve" else actions.decline_eligibility
    decide(by=request.actor, eligibility=row)
    return redirect("eligibility_page", pk)


@require_POST
@signed_in
def eligibility_revoke(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Take somebody off a list at once, with what was opened on its strength."""
    narrowing.revoke_eligibility(by=request.actor, eligibility=found(queries.eligibility_for_act(pk)))
    return redirect("eligibility_page", pk)


@require_POST
@signed_in
@confirming
def eligibility_shorten(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Let an eligibility end earlier."""
    row = found(queries.eligibility_for_act(pk))
    form = ShortenForm(request.POST)
    if not form.is_valid() and allows(rules.is_narrower, request.actor, row):
        return _eligibility_page(request, row, form)
    to_at = form.cleaned_data.get("to_at") or row.from_at
    if form.carry_out(lambda: narrowing.shorten_eligibility(by=request.actor, eligibility=row, to_at=to_at)) is None:
        # whose right to see it was not asked about yet
        return _eligibility_page(request, found(queries.visible_eligibility(request.user, pk)), form)
    return redirect("eligibility_page", pk)
