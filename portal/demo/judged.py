"""What reviewers said afterwards of the demo's past uses and drills.

Through the real actions. Times and answers stand in tables.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from portal.demo.clock import at
from portal.demo.organisation import Organisation
from portal.demo.stage import Stage
from portal.grants.models import Grant
from portal.reviews import actions as reviews
from portal.reviews import sittings
from portal.reviews.models import Review
from portal.reviews.questions import questions
from portal.reviews.states import DUE

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
    Judgement("BG-03", at("2026-07-15 22:20")),
    Judgement(
        "BG-04", at("2026-07-21 11:40"), "accepted_with_findings",
        {"Q10": ("yes", "Nobody was told that the certificate would expire: there should be an alert.")},
        findings_due=at("2026-08-20 00:00"),
    ),
    Judgement("BG-05", at("2026-07-29 08:41")),
    Judgement("BG-06", at("2026-08-04 08:35")),
    Judgement("BG-07", at("2026-08-11 18:45")),  # the only reviewer was on leave, and nobody had been named
    Judgement("BG-08", at("2026-08-14 17:10")),
    Judgement("BG-09", at("2026-08-22 05:30")),
    Judgement("EARLIER-1", at("2026-08-28 13:25")),
    Judgement("EARLIER-2", at("2026-09-03 13:25")),
    Judgement("BG-11", at("2026-09-06 17:00")),  # not before the target said that its end was done
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
    Judgement("BG-12-billing", at("2026-09-22 06:15")),
    Judgement("BG-12-sso", at("2026-09-22 06:35")),
    Judgement("BG-12-k8s", at("2026-09-22 07:15")),
    Judgement("BG-12-patient", at("2026-09-22 07:35")),
    Judgement("BG-12-payments", at("2026-09-22 07:55")),
    Judgement("BG-12-network", at("2026-09-22 08:15")),
    Judgement("BG-12-warehouse", at("2026-09-22 08:35")),
    Judgement("BG-12-payroll", at("2026-09-22 08:55")),
    Judgement("BG-12-mail", at("2026-09-22 09:25")),
    Judgement("BG-12-storage", at("2026-09-22 09:35")),
    Judgement("BG-12-wiki", at("2026-09-22 09:55")),
    Judgement("BG-12-aws", at("2026-09-23 05:15")),
)  # fmt: skip
LATE_AT = at("2026-08-10 09:00")  # the review of BG-07 is overdue; the only one who can be given it is away
READ_FOR = (40, 60, 60, 60, 60, 60, 60)  # seconds on screen, minute by minute


def judge(stage: Stage, judgement: Judgement, grant: Grant) -> Review:
    """Claim, answer all ten questions, submit."""
    organisation = stage.organisation
    organisation.clock.set(judgement.at - CLAIMED_BEFORE)
    review = Review.objects.get(grant=grant)
    if review.state == DUE:  # an overdue one was given to somebody already
        review = reviews.claim(by=organisation.by(REVIEWER), review=review)
    _read(organisation, review, judgement.at)
    organisation.clock.set(judgement.at)
    due = judgement.findings_due
    submitted = reviews.submit(
        by=organisation.by(REVIEWER, minutes=5), review=review, answers=_answers(judgement), outcome=judgement.outcome,
        owner=organisation.people["mo"] if judgement.said else None, due_at=organisation.clock.told(due) if due else None,
    )  # fmt: skip
    stage.run("outbox")
    return submitted


def _read(organisation: Organisation, review: Review, until: datetime) -> None:
    """The reviewer's page stands on the screen for some minutes, with the evidence open."""
    for number, seconds in enumerate(READ_FOR):
        organisation.clock.set(until - timedelta(minutes=len(READ_FOR) - number))
        sittings.note(
            review=review, person=organisation.people[REVIEWER], ages=[(seconds * 1000, 0)], opened=sittings.EVIDENCE
        )


def note_late(stage: Stage) -> None:
    """The portal reminds of a review that nobody took."""
    stage.organisation.clock.set(LATE_AT)
    stage.run("reviews", "outbox")


def _answers(judgement: Judgement) -> dict[str, dict[str, str]]:
    good = {each.id: (FINE.get(each.id, "yes"), "") for each in questions()}
    return {
        key: {"answer": answer, "comment": comment} for key, (answer, comment) in {**good, **judgement.said}.items()
    }
