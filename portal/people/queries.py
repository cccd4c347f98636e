"""People and their sign-ins, as a viewer may see them."""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from portal.clock import now
from portal.people.models import Passkey, Person, SignIn, Sponsorship
from portal.people.rights import ADMINISTER


def sign_ins_of(viewer: Person) -> QuerySet[SignIn]:
    """The viewer's own sign-ins that still stand, the newest first."""
    since = now() - timedelta(seconds=settings.SESSION_COOKIE_AGE)
    return SignIn.objects.filter(person=viewer, ended_at__isnull=True, opened_at__gt=since).order_by("-opened_at")


def people(viewer: Person) -> QuerySet[Person]:
    """Everybody, for administrators; nobody else keeps this list."""
    return Person.objects.order_by("name") if viewer.has_perm(ADMINISTER) else Person.objects.none()


def here() -> QuerySet[Person]:
    """Everybody who has not left, as a form's choices."""
    return Person.objects.filter(left_at__isnull=True).order_by("name")


def working_here() -> QuerySet[Person]:
    """Those of them who work for no other company: they may answer for who does."""
    return here().filter(sponsorships__isnull=True)


def sponsorships_of(viewer: Person, person: Person) -> list[Sponsorship]:
    """Who answered for the person, the newest first; none for who works here."""
    return list(person.sponsorships.select_related("sponsor")) if viewer.has_perm(ADMINISTER) else []


def contract_end_of(person_id: UUID | str) -> datetime | None:
    """When the contract of somebody of another company ends, or ended; ``None`` for who works here. One query."""
    present = Sponsorship.objects.filter(person_id=person_id, until_at__isnull=True)
    return present.values_list("contract_end", flat=True).first()


def person(viewer: Person, pk: UUID) -> Person | None:
    """One person of that list, with whom they report to."""
    return people(viewer).select_related("manager").filter(pk=pk).first()


def reports_by_name(viewer: Person, person: Person) -> list[Person]:
    """Who reports to the person."""
    return list(people(viewer).filter(manager=person, left_at__isnull=True))


def possible_managers(person: Person) -> QuerySet[Person]:
    """Who is here and another; the act says whom it would lead round in a circle with, and who may set it."""
    return Person.objects.filter(left_at__isnull=True).exclude(pk=person.pk).order_by("name", "email")


def person_for_act(pk: UUID) -> Person | None:
    """For acts only: the act itself says who may, so that an outsider's try is refused and on record."""
    return Person.objects.filter(pk=pk).first()


def sign_in_for_act(pk: UUID) -> SignIn | None:
    """As `person_for_act`."""
    return SignIn.objects.filter(pk=pk).first()


def passkey_for_act(pk: UUID) -> Passkey | None:
    """As `person_for_act`."""
    return Passkey.objects.filter(pk=pk).first()


def person_at(email: str) -> Person | None:
    """Who has this mail address, whatever its case; for the way in and the operator's command line."""
    return Person.objects.filter(email=email.strip().lower()).first()


def address_is_taken(email: str) -> bool:
    """Whether somebody is on the list with this mail address, whatever its case."""
    return Person.objects.filter(email=email.strip().lower()).exists()
