"""What became of the things that somebody was told of: an alert is as old as its mail, the thing goes on."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Q

from portal.access_requests.models import AccessRequest
from portal.access_requests.states import AWAITING, DECLINED, LAPSED, WITHDRAWN
from portal.campaigns.models import Campaign
from portal.campaigns.states import UNDECIDED
from portal.clock import now
from portal.findings.models import Finding
from portal.findings.states import ANSWERED
from portal.findings.states import CLOSED as FINDING_CLOSED
from portal.grants.models import Extension, Grant
from portal.grants.states import ACTIVE, CLOSING, ENDED, FAILED
from portal.notifications.models import Alert
from portal.people.models import Person
from portal.reviews.models import Review
from portal.reviews.states import SUBMITTED


@dataclass(frozen=True)
class Became:
    """How the thing stands now. ``over``: nothing of it waits for the viewer any more; ``word`` is the badge's state."""

    over: bool
    word: str
    says: str
    at: datetime | None = None


@dataclass
class Known:
    """The things behind a page of alerts, as they stand now."""

    viewer: Person
    requests: dict[str, AccessRequest] = field(default_factory=dict)
    extensions: dict[str, list[Extension]] = field(default_factory=dict)
    reviews: dict[str, Review] = field(default_factory=dict)
    findings: dict[str, Finding] = field(default_factory=dict)
    campaigns: dict[str, Campaign] = field(default_factory=dict)

    def grant(self, case: str) -> Grant | None:
        """The grant that followed the request."""
        return getattr(self.requests.get(case), "grant", None)


def became(viewer: Person, alerts: Iterable[Alert]) -> dict[UUID, Became]:
    """By alert; those whose words stay true for ever are absent. A constant number of queries, however many alerts."""
    shown = list(alerts)
    known = _known(viewer, shown)
    found = {each.pk: OF[each.kind](known, each) for each in shown if each.kind in OF}
    return {pk: said for pk, said in found.items() if said is not None}


def _known(viewer: Person, alerts: list[Alert]) -> Known:
    cases = {pk for each in alerts if each.kind in OF and (pk := _id(each.case))}
    known = Known(viewer)
    requests = AccessRequest.objects.filter(pk__in=cases).select_related("responder", "grant")
    known.requests = {str(each.pk): each for each in requests.prefetch_related("approvals__approver")}
    extensions = Extension.objects.filter(grant__request__in=cases).select_related("grant", "decided_by")
    for each in extensions.order_by("asked_at"):
        known.extensions.setdefault(each.log_case, []).append(each)
    reviews = Review.objects.filter(request__in=cases).select_related("reviewer", "second_reviewer")
    known.reviews = {each.log_case: each for each in reviews}
    findings = Finding.objects.filter(pk__in=_about(alerts, "finding")).select_related("owner")
    known.findings = {each.log_subject: each for each in findings}
    waits = Q(items__state=UNDECIDED)
    mine = Count("items", filter=waits & Q(items__reviewer=viewer))
    nobodys = Count("items", filter=waits & Q(items__reviewer__isnull=True, items__owner=viewer))
    campaigns = Campaign.objects.filter(pk__in=_about(alerts, "campaign")).annotate(yours=mine, nobodys=nobodys)
    known.campaigns = {each.log_subject: each for each in campaigns}
    return known


def _about(alerts: list[Alert], kind: str) -> set[UUID]:
    found = {_id(each.about.removeprefix(f"{kind}:")) for each in alerts if each.about.startswith(f"{kind}:")}
    return {pk for pk in found if pk is not None}


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _asked(known: Known, alert: Alert) -> Became | None:
    request = known.requests.get(alert.case)
    if request is None:
        return None
    names: dict[bool, list[str]] = {True: [], False: []}
    for each in request.approvals.all():
        names[each.decision == "approve"].append("you" if each.approver_id == known.viewer.pk else each.approver.name)
    if request.state == AWAITING:
        return _waits(request, "you" in names[True])
    says = {
        DECLINED: f"Declined by {_listed(names[False])}.", WITHDRAWN: f"Taken back by {request.responder.name}.",
        LAPSED: "Lapsed: nobody answered in time.",
    }.get(request.state, f"Approved by {_listed(names[True])}.")  # fmt: skip
    return Became(True, request.state, says, request.decided_at)


def _waits(request: AccessRequest, said_yes: bool) -> Became:
    if request.lapses_at is not None and request.lapses_at <= now():
        return Became(True, LAPSED, "Nobody answered in time.", request.lapses_at)
    if said_yes:
        return Became(True, "waiting", "You approved it; somebody else must as well.")
    return Became(False, "waiting", "Waits for a decision.")


def _listed(names: list[str]) -> str:
    return " and ".join(names) or "nobody"


def _opened(known: Known, alert: Alert) -> Became | None:
    grant = known.grant(alert.case)
    if grant is None:
        return None
    if grant.state == ENDED and grant.account_id and grant.revealed_at:
        return Became(True, ENDED, "Ended. The secret that was shown works until it is replaced.", grant.confirmed_at)
    if grant.state == ENDED:
        return Became(True, ENDED, "Ended, and read back from the target.", grant.confirmed_at)
    if grant.state == FAILED:
        return Became(True, FAILED, "It was not opened.", grant.ended_at)
    if grant.state == CLOSING:
        return Became(False, CLOSING, "Being closed; still live until it is read back.")
    return Became(False, grant.state, "Open now." if grant.state == ACTIVE else "Being opened.")


def _more_time(known: Known, alert: Alert) -> Became | None:
    asked = [each for each in known.extensions.get(alert.case, []) if each.asked_at <= alert.queued_at]
    if not asked:
        return None
    latest = asked[-1]
    if latest.decided_by is not None:
        word, by = ("approved", "Given") if latest.decision == "approve" else ("declined", "Not given")
        name = "you" if latest.decided_by_id == known.viewer.pk else latest.decided_by.name
        return Became(True, word, f"{by} by {name}.", latest.decided_at)
    if latest.grant.state != ACTIVE:
        return Became(True, "ended", "The access ended before anybody answered.", latest.grant.ended_at)
    return Became(False, "waiting", "Waits for a decision.")


def _review(known: Known, alert: Alert) -> Became | None:
    review = known.reviews.get(alert.case)
    if review is None:
        return None
    mine = review.holder == known.viewer
    name = "you" if mine else review.holder.name if review.holder else ""
    if review.state == SUBMITTED:
        return Became(True, "completed", f"Reviewed by {name}.", review.second_submitted_at or review.submitted_at)
    if review.holder is not None:
        return Became(
            not mine, "overdue" if mine and review.late else "claimed", f"Taken by {name}.", review.held_since
        )
    return Became(False, "overdue" if review.late else "waiting", "Waits for a reviewer.")


def _finding(known: Known, alert: Alert) -> Became | None:
    row = known.findings.get(alert.about)
    if row is None:
        return None
    if row.state == FINDING_CLOSED:
        return Became(True, "closed", "Closed.", row.closed_at)
    if row.state == ANSWERED:
        return Became(row.owner_id == known.viewer.pk, "answered", "Answered; somebody other than its owner closes it.")
    if row.owner is not None and row.owner_id != known.viewer.pk:
        return Became(True, "owed", f"{row.owner.name} owns it.")
    return Became(
        False, "overdue" if row.is_overdue else "owed", "Yours to answer." if row.owner else "It needs an owner."
    )


def _campaign(known: Known, alert: Alert) -> Became | None:
    campaign = known.campaigns.get(alert.about)
    if campaign is None:
        return None
    return _lines(campaign, getattr(campaign, "yours", 0), "for you to decide")


def _nobody(known: Known, alert: Alert) -> Became | None:
    campaign = known.campaigns.get(alert.about)
    return _lines(campaign, getattr(campaign, "nobodys", 0), "that nobody may decide on") if campaign else None


def _lines(campaign: Campaign, waiting: int, for_what: str) -> Became:
    if campaign.closed_at is not None:
        return Became(True, "closed", "Closed with its statement.", campaign.closed_at)
    if not waiting:
        return Became(True, "completed", "None of its lines waits for you.")
    many = "" if waiting == 1 else "s"
    return Became(False, "overdue" if campaign.late else "waiting", f"{waiting} line{many} {for_what}.")


OF: Mapping[str, Callable[[Known, Alert], Became | None]] = {
    "request.asked": _asked,
    **dict.fromkeys(("request.bypass_opened", "grant.opened", "grant.ending_soon", "grant.close_failed", "grant.opening_failed"), _opened),
    "extension.asked": _more_time,
    **dict.fromkeys(("review.due", "review.reminder", "review.overdue"), _review),
    **dict.fromkeys(("finding.raised", "finding.due"), _finding),
    **dict.fromkeys(("campaign.item_due", "campaign.item_reminder"), _campaign),
    "campaign.nobody_reminder": _nobody,
}  # fmt: skip
