"""Pages of people, for administrators."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal.eligibility import one_time
from portal.eligibility.queries import lists_of_person, standing_conflicts
from portal.grants import narrowing
from portal.kept import confirming
from portal.notifications.seeing import looked_at
from portal.people import actions, factors, queries
from portal.people.forms import ManagerForm, PersonForm, SponsorForm
from portal.people.models import Person
from portal.people.reporting import may_set, set_manager
from portal.people.resets import open_reset
from portal.people.rights import ADMINISTER
from portal.people.signing_in import PersonRequest, signed_in
from portal.people.sponsoring import may_sponsor, sponsor
from portal.people.strength import need_fresh
from portal.rows import again_after_deadlock
from portal.systems.views import found


def only_administrators(request: PersonRequest) -> None:
    """The list of people is theirs."""
    if not request.user.has_perm(ADMINISTER):
        raise PermissionDenied("People are looked after by administrators.")


@require_GET
@signed_in
def people(request: PersonRequest) -> HttpResponse:
    """Everybody."""
    only_administrators(request)
    return render(
        request, "people/people.html", {"people": queries.people(request.user), "conflicts": standing_conflicts()}
    )


@sensitive_variables("added")
@require_http_methods(["GET", "POST"])
@signed_in
@confirming
def person_new(request: PersonRequest) -> HttpResponse:
    """Add somebody; their one-time password is shown once."""
    only_administrators(request)
    need_fresh(request.actor)
    form = PersonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        added = form.carry_out(lambda: actions.add_person(by=request.actor, **form.cleaned_data))
        if added is not None:
            return _one_time_password(request, *added)
    return render(request, "people/person_new.html", {"form": form}, status=form.status)


@require_GET
@signed_in
def person_page(request: PersonRequest, pk: UUID) -> HttpResponse:
    """One person: roles and lists, present and past."""
    person = found(queries.person(request.user, pk))
    looked_at(request)
    roles, eligibilities = lists_of_person(request.user, person)
    context = {
        "person": person,
        "sponsorships": queries.sponsorships_of(request.user, person),
        "reports": queries.reports_by_name(request.user, person),
        "roles": roles,
        "eligibilities": eligibilities,
        "unguarded": one_time.is_unguarded(person),
        "enrolled": factors.is_enrolled(person),
        "reset": open_reset(person.pk),
        "conflicts": standing_conflicts(person),
    }
    return render(request, "people/person.html", context)


@require_http_methods(["GET", "POST"])
@signed_in
@confirming
def person_manager(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Say whom somebody reports to."""
    look = queries.person(request.user, pk) if request.method == "GET" else queries.person_for_act(pk)
    person = found(look)
    if request.method == "GET":
        may_set(request.actor, person)
    given = request.POST if request.method == "POST" else None
    form = ManagerForm(given, people=queries.possible_managers(person), initial={"manager": person.manager_id})
    if request.method == "POST":
        if not form.is_valid():
            may_set(request.actor, person)  # who may not is refused, whatever they sent
        elif form.carry_out(lambda: set_manager(by=request.actor, person=person, manager=form.cleaned_data["manager"])):
            messages.info(request, _reports_to(person.name, form.cleaned_data["manager"]))
            return redirect("person_page", pk)
    return render(request, "people/manager.html", {"form": form, "person": person}, status=form.status)


def _reports_to(name: str, manager: Person | None) -> str:
    return f"{name} reports to {manager.name if manager else 'nobody'}."


@require_http_methods(["GET", "POST"])
@signed_in
@confirming
def person_sponsor(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Say anew who answers for somebody of another company, and until when their contract runs."""
    look = queries.person(request.user, pk) if request.method == "GET" else queries.person_for_act(pk)
    person = found(look)
    if request.method == "GET":
        present = may_sponsor(request.actor, person)
        form = SponsorForm(initial={"sponsor": present.sponsor_id, "contract_end": present.contract_end})
        return render(request, "people/sponsor.html", {"form": form, "person": person})
    form = SponsorForm(request.POST)
    if not form.is_valid():
        may_sponsor(request.actor, person)  # who may not is refused, whatever they sent
    elif form.carry_out(
        lambda: again_after_deadlock(lambda: sponsor(by=request.actor, person=person, **form.cleaned_data))
    ):
        messages.info(request, f"{form.cleaned_data['sponsor'].name} answers for {person.name}.")
        return redirect("person_page", pk)
    return render(request, "people/sponsor.html", {"form": form, "person": person}, status=form.status)


@sensitive_variables("password")
@require_POST
@signed_in
def one_time_password(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Another one-time password for somebody who lost theirs."""
    person = found(queries.person_for_act(pk))
    return _one_time_password(request, person, one_time.give_one_time_password(by=request.actor, person=person))


@sensitive_variables("password")
def _one_time_password(request: PersonRequest, person: Person, password: str) -> HttpResponse:
    return render(
        request,
        "people/one_time_password.html",
        {"person": person, "password": password, "hours": actions.ONE_TIME_HOURS},
    )


@require_POST
@signed_in
def person_left(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Somebody left: everything of theirs ends."""
    person = found(queries.person_for_act(pk))
    again_after_deadlock(lambda: narrowing.note_leaving(by=request.actor, person=person))
    messages.info(request, f"{person.name} is on no list and signed in nowhere.")
    return redirect("person_page", pk)
