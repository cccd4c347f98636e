"""How a sealed account stands for whoever may need it, in one word: derived by the database, stored nowhere.

Its state alone says too much: an account whose cards nobody printed lies sealed, and nobody can open it.
"""

from django.db.models import Case, CharField, Exists, F, OuterRef, Q, Value, When
from django.db.models.expressions import Combinable

from portal.eligibility.models import CUSTODIAN, RoleAssignment
from portal.eligibility.queries import in_force
from portal.sealed.models import CARDS, OfflineSet, Rotation, SealedAccount
from portal.sealed.states import COMING, DECLINED, IN_USE, OUT, OWED, RETIRED, ROTATED, SEALED, TO_PRINT

NOT_PRINTED, NOT_MADE, NO_SECRET, CHANGING = "not_printed", "not_made", "no_secret", "changing"
UNKEPT, SECRET_OWED, UNTESTED, NOT_SHUT = "unkept", "secret_owed", "untested", "not_shut"
SETS = OfflineSet.objects.filter(account=OuterRef("pk"))
ROTATIONS = Rotation.objects.filter(account=OuterRef("pk"))
OPENED = Exists(SETS.filter(state=OUT))
"""A pair of cards opens it: on the target, both printed, both custodians said that they hold them."""


def unkept() -> Q:
    """A custodian left, or holds the role no longer."""
    everywhere = Q(system=OuterRef("system")) | Q(system__isnull=True)
    held = RoleAssignment.objects.filter(in_force(), everywhere, role=CUSTODIAN, person__left_at__isnull=True)
    first = Q(~Exists(held.filter(person=OuterRef("custodian"))))
    return first | Q(~Exists(held.filter(person=OuterRef("second_custodian"))), second_custodian__isnull=False)


def again() -> Exists:
    """The same account was put under seal anew: then what its target does with it is the other row's."""
    others = SealedAccount.objects.filter(system=OuterRef("system"), account=OuterRef("account"))
    return Exists(others.exclude(state__in=[RETIRED, DECLINED]))


def standing() -> Combinable:
    """The worst that there is to say of an account in use; of others their state, and `NOT_SHUT`."""
    cards, lies = Q(kept_by=CARDS, state__in=IN_USE), Q(state=SEALED)
    without_secret = ~Q(kept_by=CARDS) & Q(secret__isnull=True)
    said = (
        (cards & ~Q(OPENED) & Q(Exists(SETS.filter(state__in=TO_PRINT))), NOT_PRINTED),
        (cards & ~Q(OPENED), NOT_MADE),
        (cards & Q(Exists(SETS.filter(state=COMING, begun_at__isnull=False))), CHANGING),
        (lies & without_secret, NO_SECRET),
        (lies & unkept(), UNKEPT),
        (lies & Q(Exists(ROTATIONS.filter(state=OWED))), SECRET_OWED),
        (lies & Q(Exists(ROTATIONS.filter(state=ROTATED))), UNTESTED),
        (Q(~again(), state=RETIRED, shut_at__isnull=True), NOT_SHUT),
    )
    return Case(*(When(when, then=Value(word)) for when, word in said), default=F("state"), output_field=CharField())
