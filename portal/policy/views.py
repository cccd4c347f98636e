"""Policies: what holds, what is proposed, who decided. A new version waits for a second administrator."""

from typing import Any, Literal
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal.access_requests.rules import allows
from portal.clock import now
from portal.eligibility.lending import groups_in
from portal.eligibility.models import APPROVER
from portal.eligibility.queries import people_with
from portal.kept import confirming
from portal.notifications.seeing import looked_at
from portal.people.signing_in import PersonRequest, signed_in
from portal.policy import queries
from portal.policy.actions import NOTHING, approve, decline, may_change_policy, propose
from portal.policy.confirming import confirm, may_confirm
from portal.policy.differences import differences
from portal.policy.forms import ALL_LABELS, ConfirmForm, PolicyForm, compared, first_values
from portal.policy.lookback import DAYS
from portal.policy.models import PolicyVersion
from portal.policy.rules import Policy, sentences
from portal.reviews.lookback import looked_back
from portal.rotas.queries import rotas_of

SHOWN = 50  # cases named one by one beside a proposed version; the counts are of all


@require_GET
@signed_in
def policies(request: PersonRequest) -> HttpResponse:
    """Each system with its policy in force, in sentences."""
    systems = queries.systems_of_policies(request.user)
    versions, waiting = queries.in_force_for(systems), queries.undecided_for(systems)
    due, at = queries.looks_due(versions.values()), now()
    rows = [
        {
            "system": each,
            "version": versions.get(each.pk),
            "waiting": waiting.get(each.pk, 0),
            "says": _says(versions.get(each.pk)),
            "overdue": each.pk in versions and due[versions[each.pk].pk] <= at,
        }
        for each in systems
    ]
    return render(
        request,
        "policy/policies.html",
        {"rows": rows, "total": queries.versions_for(request.user).count(), "shown": len(versions)},
    )


@require_GET
@signed_in
def policy_system(request: PersonRequest, pk: UUID) -> HttpResponse:
    """All versions of one system's policy."""
    system = next((each for each in queries.systems_of_policies(request.user) if each.pk == pk), None)
    if system is None:
        raise Http404
    looked_at(request)
    versions = list(queries.versions_of(system))
    current = next((each for each in versions if each.effective_from and not each.effective_to), None)
    count = people_with(APPROVER, system).count()
    says = (
        [
            (mode, sentences(queries.rules_of(current), mode=mode, approvers=count))
            for mode in queries.rules_of(current).modes
        ]
        if current
        else []
    )
    due = queries.looks_due([current])[current.pk] if current else None
    context = {
        "system": system, "current": current, "due": due, "overdue": due is not None and due <= now(), "says": says,
        "looked": queries.confirmations_of(current) if current else (), "may_confirm": current is not None and allows(may_confirm, request.actor, current),
        "may_change": allows(may_change_policy, request.actor, system),
        "waiting": [each for each in versions if not each.approved_at and not each.declined_at],
        "earlier": [each for each in versions if each.effective_to or each.declined_at],
    }  # fmt: skip
    return render(request, "policy/system.html", context)


@require_http_methods(["GET", "POST"])
@signed_in
@confirming
def policy_new(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Write a new version."""
    system = queries.system_for_act(pk)
    if system is None or (request.method == "GET" and not allows(may_change_policy, request.actor, system)):
        raise Http404
    if not allows(may_change_policy, request.actor, system):
        propose(by=request.actor, system=system, policy=Policy())  # refused, and that is on record
    current = queries.in_force_for([system]).get(system.pk)
    approvers = [(str(each.pk), each.name) for each in people_with(APPROVER, system)]
    form = PolicyForm(
        request.POST or None,
        approvers=approvers,
        rotas=[(str(each.pk), each.name) for each in rotas_of(system)],
        groups=groups_in(system),
        initial=first_values(queries.rules_of(current) if current else Policy()),
    )
    if request.method == "POST" and form.is_valid():
        days = form.cleaned_data["review_days"]
        version = form.carry_out(lambda: propose(by=request.actor, system=system, policy=form.policy, review_days=days))
        if version is not None:
            messages.info(
                request, f"Version {version.number} waits for a second administrator. Until then the one before holds."
            )
            return redirect("policy_version", pk=version.pk)
    return render(request, "policy/new.html", {"form": form, "system": system, "current": current}, status=form.status)


@require_GET
@signed_in
def policy_version(request: PersonRequest, pk: UUID) -> HttpResponse:
    """One version, beside the one whose place it takes."""
    version = queries.version_of(request.user, pk)
    if version is None:
        raise Http404
    return render(request, "policy/version.html", _version_page(request, version))


@require_POST
@signed_in
@confirming
def policy_approve(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Bring it into force."""
    version = approve(by=request.actor, version=_for_act(pk), instead_of=_beside(request.POST.get("instead_of", "")))
    messages.info(
        request,
        f"Version {version.number} is in force. Requests made before keep the version that they were made under.",
    )
    return redirect("policy_version", pk=pk)


@require_POST
@signed_in
@confirming
def policy_decline(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Refuse it, or take one's own back."""
    decline(by=request.actor, version=_for_act(pk))
    return redirect("policy_version", pk=pk)


@require_http_methods(["GET", "POST"])
@signed_in
@confirming
def policy_confirm(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Say of the version in force that it was looked at and still fits."""
    version = _for_act(pk)
    rules, may = queries.rules_of(version), version.effective_to is None and allows(may_confirm, request.actor, version)
    if request.method == "GET" and not (may and version.effective_from):
        raise Http404
    form = ConfirmForm(request.POST or None)
    if request.method == "POST":
        if not form.is_valid():
            may_confirm(request.actor, version)  # who may not is refused, whatever they sent
        elif made := form.carry_out(lambda: confirm(by=request.actor, version=version, **form.cleaned_data)):
            messages.info(
                request, f"Noted: version {version.number} still fits. It is to be looked at again by {made.due_at:%Y-%m-%d}."
            )  # fmt: skip
            return redirect("policy_system", pk=version.system_id)
    context = {
        "form": form,
        "version": version,
        "due": queries.looks_due([version])[version.pk],
        "rules": compared(None, rules, queries.names_in(version)),
    }
    return render(request, "policy/confirm.html", context, status=form.status)


def _beside(said: str) -> UUID | Literal["none"] | None:
    if said == NOTHING:
        return NOTHING
    try:
        return UUID(said)
    except ValueError:
        return None


def _for_act(pk: UUID) -> PolicyVersion:
    found = queries.version_for_act(pk)
    if found is None:
        raise Http404
    return found


def _says(version: PolicyVersion | None) -> list[str]:
    if version is None:
        return []
    rules = queries.rules_of(version)
    said = [
        f"{rules.min_approvals} approver{'' if rules.min_approvals == 1 else 's'} must say yes; at most {rules.max_grant_minutes} minutes."
    ]
    if "bypass" in rules.modes:
        return [*said, f"A bypass is allowed, for at most {rules.minutes_for('bypass')} minutes."]
    return [*said, "A bypass is not allowed."]


def _version_page(request: PersonRequest, version: PolicyVersion) -> dict[str, Any]:
    before = queries.before_it(version, queries.versions_of(version.system))
    undecided = not version.approved_at and not version.declined_at
    names = queries.names_in(version, before)
    may = undecided and allows(may_change_policy, request.actor, version.system)
    held, rules = queries.rules_of(before) if before else None, queries.rules_of(version)
    back = looked_back(version.system, rules, now=now()) if undecided else None
    return {
        "version": version, "before": before, "undecided": undecided, "may_approve": may and version.written_by_id != request.user.pk,
        "may_decline": may, "is_mine": version.written_by_id == request.user.pk, "rules": compared(held, rules, names),
        "looked": queries.confirmations_of(version),
        "differences": differences(held, rules, ALL_LABELS) if held else [],
        "back": back, "shown": back.cases[:SHOWN] if back else (), "days": DAYS,
    }  # fmt: skip
