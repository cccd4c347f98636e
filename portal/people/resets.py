"""The reset of a lost second factor, as its person meets it: who waits, who may enrol anew, and what must stand still meanwhile.

Who proposes and approves it: ``portal/eligibility/resetting.py``, which knows roles.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q

from audit.log.append import Actor, append
from portal.clock import now
from portal.moves import make
from portal.people import factors
from portal.people.models import FactorReset, Passkey, Person
from portal.people.reset_states import COOLING, MOVES, OPEN, PROPOSED

USABLE_FOR = timedelta(hours=72)
"""How long a proposal waits for its second person, and how long what was approved can be used once it has cooled."""
NO_LONGER = "This reset is over, or was decided already."


def open_reset(person_id: UUID | str) -> FactorReset | None:
    """The reset under way; one at a time."""
    return FactorReset.objects.filter(person_id=person_id, state__in=OPEN).first()


def is_ready(person: Person, at: datetime | None = None) -> bool:
    """Whether a reset has cooled, so that the password is enough to enrol a new factor."""
    at = at or now()
    cooled = FactorReset.objects.filter(person=person, state=COOLING, cools_until__lte=at)
    return cooled.filter(cools_until__gt=at - USABLE_FOR).exists()


def lapsing(at: datetime) -> list[FactorReset]:
    """Proposals that nobody approved, and resets that nobody used, in time."""
    unanswered = Q(state=PROPOSED, proposed_at__lte=at - USABLE_FOR)
    unused = Q(state=COOLING, cools_until__lte=at - USABLE_FOR)
    return list(FactorReset.objects.filter(unanswered | unused).select_related("person").order_by("proposed_at")[:100])


def lock_open(person: Person) -> FactorReset | None:
    """The reset under way, locked; the person's row is locked before it, here and everywhere."""
    return FactorReset.objects.select_for_update().filter(person=person, state__in=OPEN).first()


def finish(by: Actor, person: Person) -> None:
    """A new authenticator was enrolled: what was lost proves nothing any more. Within the caller's action; nothing where no reset has cooled."""
    if not is_ready(person):
        return
    reset = lock_open(person)
    if reset is None:
        return
    remove_passkeys(by, person)
    make(reset, MOVES["finish"], says=NO_LONGER, closed_at=now())
    append("factor.reset_finished", by=by, subject=person.log_subject, person_id=person.pk, reset_id=reset.pk)


def remove_passkeys(by: Actor, person: Person) -> None:
    """Every passkey of somebody, each with its event."""
    for each in Passkey.objects.select_for_update().filter(person=person):
        append(
            "factor.removed", by=by, subject=person.log_subject, person_id=person.pk, factor=factors.PASSKEY,
            passkey_id=each.pk, passkey=each.name,
        )  # fmt: skip
        each.delete()
