"""Requests as a viewer may see them, and who would be asked and told."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Max, Q, QuerySet

from portal.access_requests.models import AccessRequest, Question
from portal.access_requests.states import APPROVED, AWAITING
from portal.access_requests.turns import Turn, answered, begun, turns
from portal.clock import now
from portal.eligibility.lending import away, decided_by, groups_of, seats
from portal.eligibility.models import APPROVER, OWNER, RESPONDER, Eligibility
from portal.eligibility.queries import eligibilities_of, owner_told, people_with, systems_where, usable_until
from portal.notifications.models import Alert
from portal.people.models import Person
from portal.policy.queries import rules_of
from portal.policy.rules import Policy
from portal.rotas.queries import plans
from portal.rotas.schedule import Plan
from portal.systems.models import Privilege, System

REPEAT_DAYS = 30  # the catalogue's reason_repeat_days


@dataclass(frozen=True)
class Audience:
    """Who is asked to decide and who is told, the responder never among them. ``in_place``: who stands in, for whom.

    Of a system whose owner left, who else owns it or who administers it is told; who left is named among the owners, to say why.
    """

    approvers: tuple[Person, ...]
    owners: tuple[Person, ...]
    addresses: tuple[str, ...]
    in_place: Mapping[UUID, UUID] = field(default_factory=dict)


def audience_of(system: System, responder_id: UUID | str) -> Audience:
    """Approvers and owners of the system, and the security list. Who is on leave and lent the role is not asked, nor who stands in for the responder."""
    seated = seats(away(system).values_list("person_id", "lent_by_id"), UUID(str(responder_id)))
    approvers = tuple(people_with(APPROVER, system).exclude(pk__in=seated.not_asked))
    held = people_with(OWNER, system).exclude(pk=responder_id)
    owners = {person.pk: person for person in (*held, *owner_told(system)) if str(person.pk) != str(responder_id)}
    return Audience(approvers, tuple(owners.values()), tuple(settings.PORTAL_SECURITY_LIST), seated.in_place)


def standing_groups(system: System, audience: Audience, rules: Policy) -> dict[UUID, str]:
    """The group of each who may decide: asked of the database, in one query, only where the policy wants several groups or a tier names one."""
    keys = [each.pk for each in audience.approvers]
    asked_for = rules.approver_groups or any(tier.groups for tier in rules.tiers)
    return groups_of(system, keys, audience.in_place) if asked_for else dict.fromkeys(keys, "")


@dataclass(frozen=True)
class WouldEnd:
    """When access that is opened now would end. ``cut``: earlier than the minutes say, with the responder's place on the list."""

    at: datetime
    cut: bool


def would_end(person_id: UUID | str, privilege: Privilege, minutes: int, at: datetime | None = None) -> WouldEnd:
    """The end of so many minutes from now: no access outlives the list and the role that it rests on."""
    at = at or now()
    whole, last = at + timedelta(minutes=minutes), usable_until(person_id, privilege, at)
    return WouldEnd(whole, False) if last is None or last >= whole else WouldEnd(last, True)


def what_may_be_asked(viewer: Person) -> QuerySet[Eligibility]:
    """Eligibilities in force on systems in scope, where the viewer holds the role too: the responder's choice."""
    systems = systems_where(viewer.pk, (RESPONDER,)).filter(in_scope_to__isnull=True)
    return eligibilities_of(viewer.pk).filter(privilege__system__in=systems)


def visible(viewer: Person) -> QuerySet[AccessRequest]:
    """Requests that the viewer made, decides on, owns the system of, reviews or audits."""
    systems = systems_where(viewer.pk, (APPROVER, OWNER, "reviewer", "auditor", "administrator"))
    mine = Q(responder=viewer) | Q(approvals__approver=viewer) | Q(system__in=systems) | Q(system__owner=viewer)
    mine |= Q(grant__account__custodian=viewer)  # who keeps an account sees who uses it
    chosen = AccessRequest.objects.filter(mine).distinct()
    return chosen.select_related("responder", "system", "privilege", "policy", "grant")


def all_own_requests(viewer: Person) -> QuerySet[AccessRequest]:
    """Every request that the viewer made, newest first."""
    chosen = AccessRequest.objects.filter(responder=viewer).select_related("system", "privilege", "grant")
    return chosen.order_by("-requested_at", "pk")


def own_requests(viewer: Person, limit: int = 20) -> list[AccessRequest]:
    """The newest of them."""
    return list(all_own_requests(viewer)[:limit])


def waiting_for(viewer: Person) -> list[AccessRequest]:
    """Requests on which the viewer may decide and has not."""
    waiting = AccessRequest.objects.filter(decided_by(viewer.pk, "responder"), state=AWAITING, lapses_at__gt=now())
    undecided = (
        waiting.exclude(responder=viewer)
        .exclude(approvals__approver=viewer)
        .select_related("responder", "system", "privilege")
    )
    return list(undecided.order_by("requested_at"))


@dataclass(frozen=True)
class EarlierUses:
    """How often the responder has used the system before, how often by bypass, and how often this privilege of it."""

    uses: int
    bypasses: int
    of_privilege: int
    last_at: datetime | None


def earlier_uses(request: AccessRequest) -> EarlierUses:
    """Uses of the last 90 days before this request, of whatever privilege; drills left out. One query."""
    since = request.requested_at - timedelta(days=90)
    before = AccessRequest.objects.filter(
        responder_id=request.responder_id, system_id=request.system_id, grant__opened_at__isnull=False,
        requested_at__gte=since, requested_at__lt=request.requested_at,
    ).exclude(mode="drill")  # fmt: skip
    same = Q(privilege_id=request.privilege_id)
    counted = before.aggregate(
        uses=Count("pk"), bypasses=Count("pk", filter=Q(mode="bypass")), of_privilege=Count("pk", filter=same),
        last_at=Max("requested_at"),
    )  # fmt: skip
    return EarlierUses(**counted)


def repeats_earlier(responder_id: UUID, reason: str, at: datetime, but: Collection[UUID]) -> bool:
    """Whether the responder gave the same text, blanks and case aside, in the last 30 days, in a request that is none of ``but``."""
    wanted = " ".join(reason.split()).casefold()
    since = at - timedelta(days=REPEAT_DAYS)
    earlier = (
        AccessRequest.objects.filter(responder_id=responder_id, requested_at__gte=since)
        .exclude(pk__in=but)
        .values_list("reason", flat=True)
    )
    return any(" ".join(text.split()).casefold() == wanted for text in earlier)


def has_access() -> Q:
    """Approved requests whose access may be opened or is open. A use of offline cards that was declared afterwards has none."""
    return Q(state=APPROVED, grant__isnull=False, grant__ended_at__isnull=True)


def question_for_act(pk: UUID) -> Question | None:
    """For the act alone, which refuses everybody but the responder."""
    return Question.objects.select_related("request").filter(pk=pk).first()


def questions_to(viewer: Person) -> list[Question]:
    """What the viewer was asked and can still answer, the oldest first."""
    goes_on = Q(request__state=AWAITING) | Q(request__state=APPROVED, request__grant__review__submitted_at__isnull=True)
    mine = Question.objects.filter(goes_on, request__responder=viewer, answered_at__isnull=True)
    return list(mine.select_related("asked_by", "request__system", "request__privilege").order_by("asked_at"))


def was_reviewed(request: AccessRequest) -> bool:
    """Whether the use that followed was reviewed: what was owed by then stays owed."""
    return AccessRequest.objects.filter(pk=request.pk, grant__review__submitted_at__isnull=False).exists()


def turns_of(
    request: AccessRequest, audience: Audience | None = None, groups: Mapping[UUID, str] | None = None
) -> tuple[Turn, ...]:
    """Who is told of it when, by its policy and the approvers of now and their groups, unless the caller has them."""
    audience = audience or audience_of(request.system, request.responder_id)
    rules = rules_of(request.policy)
    groups = groups or standing_groups(request.system, audience, rules)
    return turns(rules, audience.approvers, request.requested_at, audience.in_place, plans_in(rules), groups)


def plans_in(rules: Policy) -> dict[str, Plan]:
    """The rotas that the tiers name. Three queries, none where they name none."""
    return plans(tier.rota for tier in rules.tiers if tier.rota)


def to_be_told(request: AccessRequest, at: datetime) -> tuple[Turn, ...]:
    """The turns that have come, each of those who were not told yet; nothing once enough have answered, of as many groups as the policy wants.

    Several, where the sweep was late or a rota was changed meanwhile.
    """
    calls = Alert.objects.filter(about=request.log_subject, kind="request.asked", recipient__isnull=False)
    told, acknowledged = set[UUID](), set[UUID]()
    for person, when in calls.values_list("recipient_id", "acknowledged_at"):
        told.add(person)
        acknowledged |= {person} if when else set()
    acknowledged |= set(request.seen_by.values_list("person_id", flat=True))
    yeses = dict(request.approvals.filter(decision="approve").values_list("approver_id", "group"))
    rules, audience = rules_of(request.policy), audience_of(request.system, request.responder_id)
    groups = standing_groups(request.system, audience, rules)
    if answered(rules, yeses, acknowledged, groups):
        return ()
    left = (
        replace(turn, people=tuple(each for each in turn.people if each.pk not in told))
        for turn in begun(turns_of(request, audience, groups), at)
    )
    return tuple(turn for turn in left if turn.people)


def waiting_in_tiers(at: datetime) -> list[AccessRequest]:
    """All waiting requests under a policy with tiers, the oldest first. People have few that wait, and each lapses: there is no limit to outgrow."""
    waiting = AccessRequest.objects.filter(state=AWAITING, lapses_at__gt=at, policy__document__contains='"tiers"')
    return list(waiting.select_related("system__owner", "policy").order_by("requested_at"))


def lapsing(at: datetime) -> list[AccessRequest]:
    """Waiting requests whose time to be answered is over."""
    return list(AccessRequest.objects.filter(state=AWAITING, lapses_at__lte=at).order_by("lapses_at")[:500])
