"""What was said afterwards of the demo's past uses: reviews, the finding that one opened, and the attestation of the quarter.

Through the real actions. Times and answers stand in tables.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import F

from portal.campaigns import actions as campaigns
from portal.campaigns import starting
from portal.campaigns.models import Campaign
from portal.demo.organisation import Organisation
from portal.demo.stage import Stage, at
from portal.findings import actions as findings
from portal.findings.models import Finding
from portal.grants.models import Grant
from portal.reviews import actions as reviews
from portal.reviews.models import Review
from portal.reviews.questions import questions

REVIEWER = "kim"
CLAIMED_BEFORE = timedelta(minutes=20)
FINE = {"Q03": "no", "Q09": "no", "Q10": "no"}  # to all others "yes" is the good answer
Said = Mapping[str, tuple[str, str]]  # question -> answer and comment


@dataclass(frozen=True)
class Judgement:
    """One review. ``said`` holds the answers that are not the good ones, with their comments."""

    use: str
    at: datetime
    outcome: str = "accepted"
    said: Said = field(default_factory=dict)
    findings_due: datetime | None = None


JUDGEMENTS = (
    Judgement("BG-01", at("2026-07-03 08:50")),
    Judgement("BG-02", at("2026-07-09 23:00")),
    Judgement("BG-06", at("2026-08-04 08:35")),
    Judgement("BG-08", at("2026-08-14 17:10")),
    Judgement("EARLIER-1", at("2026-08-28 13:25")),
    Judgement("EARLIER-2", at("2026-09-03 13:25")),
    Judgement("EARLIER-3", at("2026-09-10 13:25")),
    Judgement(
        "BG-10", at("2026-09-17 11:26"), "not_accepted",
        {
            "Q01": ("no", "Nothing was down. The quarantine could have been read in the morning with an approval."),
            "Q02": ("no", "Two words, and no incident."),
            "Q10": ("yes", "Fourth use in a month: reading the quarantine needs a normal way."),
        },
        findings_due=at("2026-10-20 00:00"),
    ),
)  # fmt: skip
ANSWERED_AT = at("2026-09-18 09:00")
CAUSE = "Reading the quarantine is everyday work, and the only way to it is the emergency way."
RESPONSE = "A read-only role for the mail team is ordered; until then the team asks for an approval."
LISTED_AT, SHOWN_AT, DECIDED_AT, CLOSED_AT = (
    at("2026-09-10 00:00"), at("2026-09-12 09:57"), at("2026-09-12 10:00"), at("2026-09-18 00:00"),
)  # fmt: skip
KEPT = "Used or on call this quarter; still in the team that runs the system."


def judge(stage: Stage, judgement: Judgement, grant: Grant) -> Review:
    """Claim, answer all ten questions, submit."""
    organisation = stage.organisation
    organisation.clock.set(judgement.at - CLAIMED_BEFORE)
    review = reviews.claim(by=organisation.by(REVIEWER), review=Review.objects.get(grant=grant))
    organisation.clock.set(judgement.at)
    due = judgement.findings_due
    submitted = reviews.submit(
        by=organisation.by(REVIEWER, minutes=5), review=review, answers=_answers(judgement), outcome=judgement.outcome,
        owner=organisation.people["mo"] if judgement.said else None, due_at=organisation.clock.told(due) if due else None,
    )  # fmt: skip
    stage.run("outbox")
    return submitted


def _answers(judgement: Judgement) -> dict[str, dict[str, str]]:
    good = {each.id: (FINE.get(each.id, "yes"), "") for each in questions()}
    return {
        key: {"answer": answer, "comment": comment} for key, (answer, comment) in {**good, **judgement.said}.items()
    }


def answer_findings(stage: Stage, grant: Grant) -> None:
    """Their owner says what they came from, and what is done."""
    stage.organisation.clock.set(ANSWERED_AT)
    for finding in Finding.objects.filter(about=str(Review.objects.get(grant=grant).pk)):
        findings.answer(by=stage.organisation.by("mo"), finding=finding, cause=CAUSE, response=RESPONSE)


def list_rights(stage: Stage) -> None:
    """The attestations of the quarter begin, each with the list of its system as it stands."""
    for system in stage.organisation.systems.values():
        stage.move(system, LISTED_AT)
    stage.run("campaigns", "outbox")
    for system in stage.organisation.systems.values():
        stage.release(system)


def decide_lines(stage: Stage) -> None:
    """Each line stands before whom it was put to, and is kept with a reason."""
    people = {person.pk: key for key, person in stage.organisation.people.items()}
    for campaign in _in_order():
        for reviewer in sorted({people[item.reviewer_id] for item in campaign.items.all() if item.reviewer_id}):
            stage.organisation.clock.set(SHOWN_AT)
            campaigns.show(by=stage.organisation.by(reviewer), campaign=campaign)
    stage.organisation.clock.set(DECIDED_AT)
    for campaign in _in_order():
        for item in campaign.items.filter(reviewer__isnull=False).order_by("label"):
            by = people[item.reviewer_id] if item.reviewer_id else ""
            campaigns.keep(by=stage.organisation.by(by), item=item, reason=KEPT)


def _in_order() -> list[Campaign]:
    return list(Campaign.objects.order_by(F("system__slug").asc(nulls_last=True), "kind"))


def close_attestations(stage: Stage) -> None:
    """With the catalogue's statement; then the next ones are owed."""
    stage.organisation.clock.set(CLOSED_AT)
    for campaign in _in_order():
        campaigns.close(by=stage.organisation.by("mo" if campaign.system_id else "quinn"), campaign=campaign)
    stage.run("campaigns", "outbox")


def leave_one_open(organisation: Organisation, slug: str) -> Campaign:
    """At the demo's present an administrator begins one before its time, so that owners always find lines to decide."""
    return starting.run_now(by=organisation.by("pia"), system=organisation.systems[slug])
