"""What sealed accounts owe: new secrets and login tests, and drills of offline cards. For who keeps an account or has a part in its system."""

from collections.abc import Iterable

from django.urls import reverse

from portal.calendars.entries import MOST, Entry
from portal.duties.overdue import drill_due, pairs_out
from portal.people.models import Person
from portal.sealed.models import Rotation
from portal.sealed.queries import visible
from portal.sealed.states import DONE, IN_USE

KIND = "Sealed account"


def entries(viewer: Person) -> Iterable[Entry]:
    """Of all accounts that the viewer may see. Two queries beside those for the viewer's roles."""
    seen = visible(viewer).order_by().values("pk")
    owed = Rotation.objects.exclude(state=DONE).filter(account__in=seen, account__state__in=IN_USE)
    for row in owed.select_related("account__system").order_by("due_at")[:MOST]:
        what = f"New secret for an account of {row.account.system.name}"
        yield Entry(f"rotation-{row.pk}", row.due_at, KIND, what, reverse("sealed_page", args=[row.account_id]))
    for pair in pairs_out().filter(account__in=seen)[:MOST]:
        due_at, what = drill_due(pair), f"Drill the offline cards of an account of {pair.account.system.name}"
        yield Entry(
            f"cards-{pair.pk}-{due_at:%Y%m%d}", due_at, KIND, what, reverse("sealed_page", args=[pair.account_id])
        )
