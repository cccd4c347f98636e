"""Reviews as a viewer may see them, and what a sweep must do."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from uuid import UUID

from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, When
from django.db.models.functions import Coalesce

from portal.access_requests.models import Approval
from portal.eligibility.models import ADMINISTRATOR, AUDITOR, OWNER, REVIEWER, RoleAssignment
from portal.eligibility.queries import holds_anywhere, role_names, systems_where
from portal.eligibility.queries import in_force as in_force_roles
from portal.findings.models import Finding
from portal.grants.models import Extension, Grant
from portal.grants.states import CLOSING, ENDED
from portal.notifications.queries import AlertLine, alerts_of_case
from portal.people.models import Person
from portal.reviews.leave import in_force
from portal.reviews.models import Acceptance, ChangeRecord, Delegation, PrivacyDecision, Review
from portal.reviews.rules import barred_from, hands_among, pool_of
from portal.reviews.states import CLAIMED, DUE, SECOND_CLAIMED, SECOND_DUE, SUBMITTED
from portal.systems.models import System

OWED = Coalesce("second_due_at", "due_at")
HOLDING = Case(When(state=SECOND_CLAIMED, then=F("second_reviewer")), default=F("reviewer"))
READERS = (REVIEWER, OWNER, ADMINISTRATOR, AUDITOR)
RELATED = (
    "request__responder", "request__system__owner", "request__privilege", "grant", "of_set__account__custodian",
    "of_set__account__second_custodian", "reviewer", "second_reviewer",
)  # fmt: skip
MOST = 200


def overdue_count(systems: QuerySet[System], at: datetime) -> int:
    """How many reviews of uses of those systems are past their time."""
    waiting = Review.objects.exclude(state=SUBMITTED).filter(request__system__in=systems)
    return waiting.annotate(owed=OWED).filter(owed__lte=at).count()


def visible(viewer: Person) -> QuerySet[Review]:
    """Reviews of systems that the viewer reviews, owns, administers or audits, and those that they hold."""
    systems = systems_where(viewer.pk, READERS)
    seen = (
        Q(request__system__in=systems)
        | Q(request__system__owner=viewer)
        | Q(reviewer=viewer)
        | Q(second_reviewer=viewer)
    )
    return Review.objects.filter(seen).select_related(*RELATED)


def due_for(viewer: Person) -> list[Review]:
    """What waits for a reviewer and the viewer may take: uses of their systems in which they had no part, nor in the first judgement."""
    waiting = Review.objects.filter(
        state__in=[DUE, SECOND_DUE], request__system__in=systems_where(viewer.pk, (REVIEWER,))
    )
    ordered = waiting.select_related(*RELATED).order_by(OWED, "pk")
    free: list[Review] = []
    for start in count(0, MOST):  # cut off is what is due last; what the viewer had a part in takes no place
        rows = list(ordered[start : start + MOST])
        barred = barred_from(rows)
        free += [row for row in rows if str(viewer.pk) not in barred[row.pk]]
        if len(rows) < MOST or len(free) >= MOST:
            break
    return free[:MOST]


def claimed_by(viewer: Person) -> list[Review]:
    """What the viewer has taken and not submitted."""
    mine = Q(state=CLAIMED, reviewer=viewer) | Q(state=SECOND_CLAIMED, second_reviewer=viewer)
    return list(Review.objects.filter(mine).select_related(*RELATED).order_by(OWED))


def all_of(viewer: Person, *, done: bool) -> QuerySet[Review]:
    """All that the viewer may see: those that are done, newest first, or those that are not."""
    rows = visible(viewer)
    return (
        rows.filter(state=SUBMITTED).order_by("-submitted_at") if done else rows.exclude(state=SUBMITTED).order_by(OWED)
    )


@dataclass(frozen=True)
class Evidence:
    """What portal knows about the use itself; statements and verdict are audit's."""

    approvals: tuple[Approval, ...]
    extensions: tuple[Extension, ...]
    alerts: tuple[AlertLine, ...]
    findings: tuple[Finding, ...]
    pool: tuple[Person, ...]
    acceptances: tuple[Acceptance, ...]
    involved: frozenset[str]
    away: tuple[Delegation, ...]


def evidence_of(review: Review) -> Evidence:
    """All of it, in a constant number of queries, and from it who is involved. Whoever asks has checked who may see the review."""
    case = review.request_id
    approvals = tuple(Approval.objects.filter(request_id=case).select_related("approver"))
    extensions = tuple(review.grant.extensions.select_related("decided_by")) if review.grant else ()
    told = [(each.request_id, each.approver_id) for each in approvals]
    told += [(case, each.decided_by_id) for each in extensions if each.decided_by_id]
    involved = hands_among([review], told)[case]
    return Evidence(
        approvals, extensions, tuple(alerts_of_case(case)),
        tuple(Finding.objects.filter(about=str(review.pk)).select_related("owner").order_by("raised_at")),
        tuple(pool_of(review, involved)), tuple(review.acceptances.all()), involved,
        tuple(in_force(review.request.system)) if review.state != SUBMITTED else (),
    )  # fmt: skip


def review_for(viewer: Person, pk: UUID) -> Review | None:
    """One that the viewer may see."""
    return visible(viewer).filter(pk=pk).first()


def finding_owners(review: Review) -> QuerySet[Person]:
    """Who may be made owner of what the answers open: owners and administrators of the system."""
    system = review.request.system
    held = RoleAssignment.objects.filter(
        in_force_roles(), Q(system=system) | Q(system__isnull=True), role__in=[OWNER, ADMINISTRATOR]
    )
    return Person.objects.filter(
        Q(pk__in=held.values("person_id")) | Q(pk=system.owner_id), left_at__isnull=True
    ).order_by("name")


def review_for_act(pk: UUID) -> Review | None:
    """For acts only: the act itself says who may, so that an outsider's try is refused and on record."""
    return Review.objects.select_related(*RELATED).filter(pk=pk).first()


def opened_for(viewer: Person, pk: UUID) -> Review | None:
    """As `review_for`, of a use that the portal opened: of offline cards there are no actions on record, nor changes of them."""
    return visible(viewer).filter(pk=pk, grant__isnull=False).first()


def opened_for_act(pk: UUID) -> Review | None:
    """As `review_for_act`, of a use that the portal opened."""
    return Review.objects.select_related(*RELATED).filter(pk=pk, grant__isnull=False).first()


def acceptance_for_act(review: Review, pk: UUID) -> Acceptance | None:
    """For the act alone, which says who may."""
    return Acceptance.objects.select_related("review").filter(review=review, pk=pk).first()


def reviewers_beside(viewer: Person) -> QuerySet[Person]:
    """Reviewers of anything but the viewer, by name."""
    held = RoleAssignment.objects.filter(in_force_roles(), role=REVIEWER)
    return (
        Person.objects.filter(pk__in=held.values("person_id"), left_at__isnull=True)
        .exclude(pk=viewer.pk)
        .order_by("name")
    )


def owns_something(viewer: Person) -> bool:
    """Whether the viewer owns a system, or holds the role of an owner."""
    return OWNER in role_names(viewer.pk)


def reviews_something(viewer: Person) -> bool:
    """Whether the viewer is a reviewer of any system."""
    return holds_anywhere(viewer.pk, (REVIEWER,))


def change_approvers(review: Review) -> QuerySet[Person]:
    """Who may have approved a change: anybody but who made it."""
    return Person.objects.filter(left_at__isnull=True).exclude(pk=review.request.responder_id).order_by("name")


def changes_of(review: Review) -> list[ChangeRecord]:
    """Change records that were named."""
    return list(review.change_records.select_related("approved_by", "recorded_by"))


def privacy_of(review: Review) -> PrivacyDecision | None:
    """The privacy decision, where there is one."""
    return PrivacyDecision.objects.filter(review=review).select_related("decided_by").first()


def without_review(limit: int = 500) -> list[Grant]:
    """Uses that are over and not up for review yet."""
    over = Grant.objects.filter(
        state__in=[CLOSING, ENDED], opened_at__isnull=False, ended_at__isnull=False, review__isnull=True
    )
    return list(over.order_by("ended_at")[:limit])


def to_remind(at: datetime, limit: int = 2000) -> list[Review]:
    """Unsubmitted reviews that may need a word: due within two days, or late."""
    rows = Review.objects.exclude(state=SUBMITTED).annotate(owed=OWED).filter(owed__lte=at + timedelta(days=2))
    return list(rows.select_related("request__system", "grant", "reviewer", "second_reviewer").order_by("owed")[:limit])


def held_by_who_is_away(limit: int = 2000) -> list[Review]:
    """Reviews that somebody has who is away now, and for whom somebody stands in. One query."""
    everywhere = Q(system=OuterRef("request__system")) | Q(system__isnull=True)
    away = in_force().select_related(None).filter(everywhere, person=OuterRef("holding"))
    rows = Review.objects.filter(state__in=[CLAIMED, SECOND_CLAIMED]).annotate(holding=HOLDING)
    return list(rows.filter(Exists(away)).order_by(OWED)[:limit])


def stuck(limit: int = 2000) -> list[Review]:
    """Reviews that somebody has who left, is no reviewer of the system any longer, became part of the use, or wrote what they look at second."""
    reviewers = RoleAssignment.objects.filter(
        in_force_roles(), Q(system=OuterRef("request__system")) | Q(system__isnull=True), role=REVIEWER, person=OuterRef("holding"),
        person__left_at__isnull=True,
    )  # fmt: skip
    rows = (
        Review.objects.filter(state__in=[CLAIMED, SECOND_CLAIMED])
        .select_related("request", "of_set__account")
        .annotate(holding=HOLDING)
    )
    claimed = list(rows.annotate(able=Exists(reviewers)).order_by(OWED)[:limit])
    barred = barred_from(claimed)
    return [row for row in claimed if not row.able or str(row.holding) in barred[row.pk]]
