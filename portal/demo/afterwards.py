"""What the demo's uses left to be done outside the portal: changes taken back into change control, and decisions on personal data."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from audit.log.read import size
from portal.demo.clock import at
from portal.demo.stage import Stage
from portal.grants.models import Grant
from portal.reviews import aftermath
from portal.reviews.models import Review

SAID_BY = "mo"
RECORDED_AFTER = timedelta(minutes=5)


@dataclass(frozen=True)
class Change:
    """A change record that was raised for a use, and who approved it."""

    use: str
    reference: str
    raised_at: datetime
    approved_by: str = "hana"

    @property
    def at(self) -> datetime:
        """When it was said in the portal."""
        return self.raised_at + RECORDED_AFTER


@dataclass(frozen=True)
class Decision:
    """A privacy decision. None of them found a breach."""

    use: str
    at: datetime
    reason: str


CHANGES = (
    Change("BG-01", "CHG-308", at("2026-07-03 07:50")),
    Change("BG-02", "CHG-309", at("2026-07-09 11:00")),
    Change("BG-03", "CHG-311", at("2026-07-16 10:20"), approved_by="jon"),
    Change("BG-04", "CHG-314", at("2026-07-21 11:40")),
    Change("BG-07", "CHG-317", at("2026-08-08 15:45")),
    Change("BG-09", "CHG-321", at("2026-08-22 05:30")),
    Change("BG-11", "CHG-326", at("2026-09-05 08:00")),
)
QUARANTINE = "Subjects and senders of held-back mail were seen, as the work needed; no mail was opened."
HEALTH = "A drill: nothing but the health page was opened."
DECISIONS = (
    Decision("BG-05", at("2026-07-29 03:41"), "Four charts were read for the ward that treats these people; who they are is listed, should they ask."),
    Decision("BG-08", at("2026-08-14 10:10"), "The customer table was read by somebody who works with it every day; nothing left the warehouse."),
    Decision("BG-09", at("2026-08-21 20:30"), "Three payslips were set right at the request of their owners."),
    Decision("EARLIER-1", at("2026-08-28 12:25"), QUARANTINE),
    Decision("EARLIER-2", at("2026-09-03 12:25"), QUARANTINE),
    Decision("EARLIER-3", at("2026-09-10 12:25"), QUARANTINE),
    Decision("BG-10", at("2026-09-17 01:26"), QUARANTINE),
    Decision("BG-12-patient", at("2026-09-21 16:35"), HEALTH),
    Decision("BG-12-warehouse", at("2026-09-21 17:35"), HEALTH),
    Decision("BG-12-payroll", at("2026-09-21 17:55"), HEALTH),
    Decision("BG-12-mail", at("2026-09-21 18:15"), HEALTH),
)  # fmt: skip


def record(stage: Stage, change: Change, grant: Grant) -> None:
    """Name the change record of a use: it holds what the sealed log knows of it by now."""
    organisation = stage.organisation
    organisation.clock.set(change.at)
    stage.sealed()
    aftermath.record_change(
        by=organisation.by(SAID_BY), review=Review.objects.get(grant=grant), reference=change.reference,
        raised_at=organisation.clock.told(change.raised_at), disposition="kept", upto=max(0, size() - 1),
        approved_by=organisation.people[change.approved_by],
    )  # fmt: skip


def decide(stage: Stage, decision: Decision, grant: Grant) -> None:
    """Decide whether a use exposed personal data."""
    stage.organisation.clock.set(decision.at)
    review = Review.objects.get(grant=grant)
    aftermath.decide_privacy(by=stage.organisation.by(SAID_BY), review=review, breach=False, reason=decision.reason)
