"""How long a review stood on its reviewer's screen, and which evidence was opened. Working state until the review is submitted: then the log is told.

The browser says for which stretches of the last minute the page was visible. Stretches of several tabs are laid over each other, so what was on
screen twice counts once; they are told as ages, so a wrong clock in the browser does no harm. Without the script nothing is measured.
"""

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db import transaction

from audit.log.append import now_ms
from audit.log.read import count_of_case
from portal.clock import ms
from portal.people.models import Person
from portal.reviews.models import Review, Sitting

SAID, ACTS = "said", "acts"
EVIDENCE = (SAID, ACTS)  # what was said and told; what was done, where the portal opened something
GROUP, MOST_GROUPS = "group ", 1000  # one group of what was done: actions of one kind in one session
LONGEST_MS, MOST_SPANS, MOST_AT_ONCE = 60_000, 2000, 20
Span = tuple[int, int]  # from and to, milliseconds since 1970 UTC


def note(*, review: Review, person: Person, ages: Sequence[Span] = (), opened: Sequence[str] = ()) -> Sitting:
    """Add what was on screen, as ages in milliseconds (begun so long ago, ended so long ago), and evidence that was opened."""
    known = Sitting.objects.filter(review=review, person=person).first()
    if known is not None and not ages and set(opened) <= set(known.opened):  # opened evidence stays opened
        return known
    return _add(review, person, ages, opened)


def group(session: str, kind: str) -> str:
    """How a group is kept among what was opened."""
    return f"{GROUP}{session[:80]} {kind[:80]}".replace("\x00", "")  # which the database takes in no text


def groups_opened(row: Sitting) -> int:
    """How many groups of what was done its reviewer opened. A fact for them alone: no rule hangs on it."""
    return sum(each.startswith(GROUP) for each in row.opened)


def has_judged(review: UUID, person: Person) -> bool:
    """Whether it stood before them to be judged."""
    return Sitting.objects.filter(review=review, person=person).exists()


@transaction.atomic
def _add(review: Review, person: Person, ages: Sequence[Span], opened: Sequence[str]) -> Sitting:
    Sitting.objects.get_or_create(review=review, person=person)
    row = Sitting.objects.select_for_update().get(review=review, person=person)
    at, claimed = now_ms(), ms(review.held_since) if review.held_since else 0
    told = [(max(claimed, at - begun), at - ended) for begun, ended in ages[:MOST_AT_ONCE] if _is_span(begun, ended)]
    row.spans = [list(span) for span in union([*((begun, ended) for begun, ended in row.spans), *told])][-MOST_SPANS:]
    known = {*row.opened, *opened}
    row.opened = sorted(known & set(EVIDENCE)) + sorted(each for each in known if each.startswith(GROUP))[:MOST_GROUPS]
    row.save(update_fields=["spans", "opened"])
    return row


def _is_span(begun: int, ended: int) -> bool:
    return 0 <= ended < begun <= LONGEST_MS


def union(spans: Iterable[Span]) -> list[Span]:
    """The stretches without their overlaps, in order; gaps below a second are none."""
    found: list[Span] = []
    for begun, ended in sorted(span for span in spans if span[0] < span[1]):
        if found and begun <= found[-1][1] + 1000:
            found[-1] = (found[-1][0], max(found[-1][1], ended))
        else:
            found.append((begun, ended))
    return found


def seconds_of(row: Sitting | None) -> int | None:
    """Whole seconds on screen; ``None`` where nothing was measured."""
    if row is None or not row.spans:
        return None
    return sum(ended - begun for begun, ended in union((begun, ended) for begun, ended in row.spans)) // 1000


def _evidence_of(review: Review) -> set[str]:
    """Of a use of offline cards there is one page: what was declared, and the sessions that the target showed."""
    return set(EVIDENCE) if review.grant_id else {SAID}


def for_the_log(review: Review, person_id: str) -> dict[str, int | None]:
    """What `review.submitted` tells of the sitting: seconds, evidence that was never opened, and how much there was to read."""
    row = Sitting.objects.filter(review=review, person=UUID(person_id)).first()
    return {
        "active_seconds": seconds_of(row), "evidence_skipped": len(_evidence_of(review) - set(row.opened)) if row else None,
        "activities_seen": count_of_case(review.log_case, "activity.recorded"),
    }  # fmt: skip
