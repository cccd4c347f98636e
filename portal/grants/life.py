"""One request from asking to its end, as one viewer sees it: all that its page shows, in a constant number of queries."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from uuid import UUID

from audit.log.append import Actor
from audit.log.read import LoggedEvent, of_case
from portal.access_requests.models import AccessRequest, Approval, Question, Seen
from portal.access_requests.owing import still_owed
from portal.access_requests.queries import (
    Audience,
    EarlierUses,
    WouldEnd,
    audience_of,
    earlier_uses,
    plans_in,
    standing_groups,
    visible,
    was_reviewed,
    would_end,
)
from portal.access_requests.rules import allows, may_decide, may_question, still_needed
from portal.access_requests.states import APPROVED, AWAITING
from portal.access_requests.strength import is_weaker
from portal.clock import now
from portal.eligibility.lending import standing_of
from portal.grants.custody import needs_release, unused_release
from portal.grants.models import Extension, Grant, Release
from portal.grants.queries import WARN_BEFORE
from portal.grants.releasing import may_release
from portal.grants.rules import may_extend, may_extend_own_bypass, may_revoke
from portal.grants.states import ACTIVE, AUTHORISED, CLOSING, ENDED, OPENING
from portal.notifications.queries import AlertLine, alerts_of_case
from portal.people.models import Person
from portal.policy.queries import rules_of
from portal.policy.rules import Policy
from portal.rotas.schedule import Plan
from portal.stops.models import Stop
from portal.stops.queries import on

# Stages of the page: those of the request until it is approved, then those of the grant; a use of offline cards never has one.
OPENING_STAGE, OPEN_STAGE, OFFLINE_STAGE = "opening", "open", "offline"
OVER = frozenset({"declined", "withdrawn", "lapsed", "ended", "failed", OFFLINE_STAGE})
GRANT_STAGES = {
    AUTHORISED: OPENING_STAGE,
    OPENING: OPENING_STAGE,
    ACTIVE: OPEN_STAGE,
    CLOSING: "closing",
    ENDED: "ended",
}


@dataclass(frozen=True)
class Life:
    """What happened, what is awaited, and what this viewer may do now."""

    request: AccessRequest
    grant: Grant | None
    rules: Policy
    by: Actor
    at: datetime
    approvals: tuple[Approval, ...]
    seen: tuple[Seen, ...]
    alerts: tuple[AlertLine, ...]
    extensions: tuple[Extension, ...]
    released: Release | None
    questions: tuple[Question, ...]
    audience: Audience
    supplements: tuple[LoggedEvent, ...]
    reviewed: bool
    earlier: EarlierUses | None
    group: str
    may: frozenset[str]
    stop: Stop | None = None
    rotas: Mapping[str, Plan] = field(default_factory=dict)
    groups: Mapping[UUID, str] = field(default_factory=dict)  # of those who may decide while it waits

    @property
    def stage(self) -> str:
        """Which part of the page is drawn."""
        if self.request.state != APPROVED:
            return "waiting" if self.request.state == AWAITING else self.request.state
        if self.grant is None:
            return OFFLINE_STAGE
        return GRANT_STAGES.get(self.grant.state, "failed")

    @property
    def weaker(self) -> bool:
        """Whether a bypass rests on a factor that its policy does not take."""
        return is_weaker(self.request, self.rules)

    @property
    def mine(self) -> bool:
        """Whether the viewer asked."""
        return str(self.request.responder_id) == self.by.id

    @property
    def bypass(self) -> bool:
        """Whether nobody had to say yes."""
        return self.request.mode == "bypass"

    @property
    def over(self) -> bool:
        """Nothing more will happen to it by itself."""
        return self.stage in OVER

    @property
    def late(self) -> bool:
        """Waiting longer than the policy lets wait; the next sweep lapses it."""
        return self.stage == "waiting" and self.request.lapses_at is not None and self.request.lapses_at <= self.at

    @property
    def approvals_left(self) -> int:
        """How many must still say yes."""
        return still_needed(self.rules, self._groups)

    @property
    def left_after_mine(self) -> int:
        """How many must say yes after the viewer did: none where the viewer's yes opens."""
        return still_needed(self.rules, [*self._groups, self.group])

    @property
    def _groups(self) -> list[str]:
        return [each.group for each in self.approvals if each.decision == "approve"]

    @property
    def offers_bypass(self) -> bool:
        """Waited long enough in vain, and the policy allows it."""
        if self.stop is not None or not (self.mine and "bypass" in self.rules.modes):
            return False
        waited = self.at - self.request.requested_at
        return self.stage == "lapsed" or (
            self.stage == "waiting" and waited >= timedelta(minutes=self.rules.bypass_offer_minutes)
        )

    @cached_property
    def would_end(self) -> WouldEnd:
        """The end if it were opened now; later the true one."""
        if self.grant is not None and self.grant.expires_at is not None:
            return WouldEnd(self.grant.expires_at, cut=False)
        return would_end(self.request.responder_id, self.request.privilege, self.request.minutes, self.at)

    @property
    def held_up(self) -> Stop | None:
        """The emergency stop that holds this request up, or ended its access."""
        ended = self.grant.ended_at if self.grant else None
        met = ended is not None and self.stop is not None and ended >= self.stop.started_at
        return self.stop if met or self.stage in ("waiting", OPENING_STAGE) else None

    @property
    def near(self) -> bool:
        """The end is so near that the responder is warned."""
        ends = self.grant.expires_at if self.grant else None
        return self.stage == OPEN_STAGE and ends is not None and ends - self.at <= WARN_BEFORE

    @property
    def asked_extension(self) -> Extension | None:
        """More time that nobody has decided on yet."""
        return next((each for each in self.extensions if not each.decision), None)

    @cached_property
    def left_out(self) -> list[str]:
        """What a bypass left out and nobody has given since."""
        return still_owed(self.request, self.rules, self.supplements)

    @property
    def still_owed(self) -> list[str]:
        """What can still be given: nothing after the review."""
        return [] if self.reviewed else self.left_out

    @property
    def may_ask_more(self) -> bool:
        """Whether a question may be asked, or answered, at all: not of what was judged or never opened."""
        return not self.reviewed and self.request.state in (AWAITING, APPROVED)

    @property
    def review_due_at(self) -> datetime | None:
        """When the review is due at the latest."""
        grant = self.grant
        if grant is None or grant.opened_at is None or grant.ended_at is None:
            return None
        hours = self.rules.review_hours_for(self.request.mode, self.request.system.criticality)
        return min(filter(None, (grant.ended_at, grant.expires_at))) + timedelta(hours=hours)

    @property
    def wants_release(self) -> bool:
        """A sealed account is open, and its secret is shown only after a second person has said so."""
        return (
            self.stage == OPEN_STAGE and self.grant is not None and needs_release(self.grant) and self.released is None
        )

    @property
    def shape(self) -> str:
        """Changes when forms and facts of the page's main part are no longer right; small enough for an address."""
        grant = self.grant
        told: list[object] = [self.stage, sorted(self.may), self.late, self.near, self.offers_bypass, self.still_owed]
        told += [self.held_up.pk] if self.held_up else []
        told += [grant.state, grant.expires_at, grant.confirmed_at, bool(grant.last_trouble)] if grant else []
        told += [self.released.pk if self.released else None]
        told += [(each.pk, each.decision, each.applied_at) for each in self.extensions]
        told += [(each.pk, each.answered_at) for each in self.questions]
        return hashlib.sha256(repr(told).encode()).hexdigest()[:12]


def life_of(viewer: Person, by: Actor, pk: UUID) -> Life | None:
    """The request as the viewer may see it; ``None`` where they may not."""
    request = visible(viewer).filter(pk=pk).first()
    if request is None:
        return None
    grant = (
        Grant.objects.filter(request=request)
        .select_related("system", "privilege", "person", "request__policy", "account__custodian")
        .first()
    )
    released = unused_release(grant, now()) if grant and grant.account_id else None
    approvals = tuple(request.approvals.select_related("approver"))
    extensions = tuple(grant.extensions.select_related("decided_by")) if grant else ()
    at = now()
    seen = tuple(request.seen_by.select_related("person").order_by("at"))
    decides = allows(may_decide, by, request)
    rules, audience, waits = (
        rules_of(request.policy),
        audience_of(request.system, request.responder_id),
        request.state == AWAITING,
    )
    return Life(
        request=request, grant=grant, rules=rules, by=by, at=at, approvals=approvals, extensions=extensions, released=released,
        seen=seen, alerts=tuple(alerts_of_case(request.pk)), audience=audience,
        supplements=tuple(of_case(request.pk, ["request.supplemented"])) if request.mode == "bypass" else (),
        reviewed=grant is not None and was_reviewed(request),
        group=standing_of(by.id, request.system, request.responder_id).group if decides else "",
        earlier=earlier_uses(request) if decides else None, questions=tuple(request.questions.select_related("asked_by")),
        may=_may(by, request, grant, approvals, seen, extensions, at, released, decides=decides), stop=on(request.system).first(),
        rotas=plans_in(rules) if waits else {}, groups=standing_groups(request.system, audience, rules) if waits else {},
    )  # fmt: skip


def _may(by: Actor, request: AccessRequest, grant: Grant | None, approvals: tuple[Approval, ...], seen: tuple[Seen, ...],
         extensions: tuple[Extension, ...], at: datetime, released: Release | None, *, decides: bool) -> frozenset[str]:  # fmt: skip
    """The acts that the server would not refuse at this moment."""
    mine = str(request.responder_id) == by.id
    waits = request.state == AWAITING
    answerable = waits and (request.lapses_at is None or request.lapses_at > at)
    acts = {
        "withdraw": mine and waits,
        "decide": decides and answerable and all(str(each.approver_id) != by.id for each in approvals),
        "question": (waits or grant is not None) and allows(may_question, by, request),
        "see": decides and answerable and all(str(each.person_id) != by.id for each in seen),
    }
    if grant is not None:
        is_open = grant.state == ACTIVE and grant.expires_at is not None and grant.expires_at > at
        asked = any(not each.decision for each in extensions)
        given = sum(each.decision == "approve" for each in extensions)
        more = given < rules_of(request.policy).max_extensions
        acts |= {
            "extend_bypass": mine and is_open and allows(may_extend_own_bypass, grant, extensions),
            "reveal": mine and is_open and (released is not None or not needs_release(grant)),
            "release": is_open and grant.account_id is not None and released is None and allows(may_release, by, grant),
            "give_back": mine and grant.state == ACTIVE,
            "ask_extension": mine and is_open and not asked and more,
            "decide_extension": is_open and asked and allows(may_extend, by, grant),
            "revoke": not mine and grant.state in (AUTHORISED, OPENING, ACTIVE) and allows(may_revoke, by, grant),
        }  # fmt: skip
    return frozenset(name for name, allowed in acts.items() if allowed)


def request_for_act(pk: UUID) -> AccessRequest | None:
    """For acts only: the act itself says who may, so that an outsider's try is refused and on record, not merely unseen."""
    return AccessRequest.objects.select_related("responder", "system", "privilege", "policy").filter(pk=pk).first()


def requests_for_act(keys: Iterable[UUID]) -> list[AccessRequest]:
    """As `request_for_act`, in the order in which they were made."""
    found = AccessRequest.objects.select_related("responder", "system", "privilege", "policy").filter(pk__in=list(keys))
    return list(found.order_by("requested_at"))


def grant_for_act(pk: UUID) -> Grant | None:
    """As `request_for_act`."""
    return Grant.objects.select_related("request", "system", "privilege", "person").filter(pk=pk).first()


def extension_for_act(pk: UUID) -> Extension | None:
    """As `request_for_act`."""
    return Extension.objects.select_related("grant__request", "grant__system").filter(pk=pk).first()
