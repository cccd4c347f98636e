"""Reviews, campaigns and findings."""

from audit.cases.presenters.spec import Presenter, refused, say
from audit.log.read import LoggedEvent


def _reviewed(event: LoggedEvent) -> tuple[str, str] | None:
    return ("clipboard-check", "attention") if event.fields["adverse_answers"] else None


def _seconded(event: LoggedEvent) -> tuple[str, str] | None:
    return None if event.fields["agrees"] else ("users", "attention")


def _drilled(event: LoggedEvent) -> tuple[str, str] | None:
    return ("circle-check", "good") if event.fields["worked"] else ("circle-x", "attention")


PRESENTERS: dict[str, Presenter] = {
    "review.due": say("A review is due {due_at}", "May be taken by {pool}.", icon="clipboard-list"),
    "review.claimed": say("Took the review", icon="clipboard-list", tone="accent"),
    "review.handed_over": say("Gave the review back", "To {to_id}.", "In place of {delegated_by}, who is away.", "{comment}", icon="arrow-left"),
    "review.delegation_set": say("Named who stands in: {to_id}", "For {person_id}.", "From {from_at} until {to_at}.", icon="users"),
    "review.delegation_ended": say("Stands in no longer: {to_id}", "For {person_id}.", icon="users"),
    "review.given_next": say("Overdue, and given to the next reviewer", "To {to_id}.", "Before: {from_id}.", icon="clock", tone="attention"),
    "review.saved": say("Saved {answered} answers", icon="pencil"),
    "review.submitted": say("Reviewed: {outcome}", "Real emergency: {emergency_upheld}.", "Adverse answers: {adverse_answers}.", "{comments}",
                            icon="clipboard-check", tone="good", looks=_reviewed),
    "review.second_asked": say("A second reviewer is asked, until {due_at}", "Grave answers: {questions}.", "May be taken by {pool}.",
                               icon="users", tone="attention"),
    "review.second_claimed": say("Took the second look", icon="clipboard-list", tone="accent"),
    "review.second_handed_over": say("Gave the second look back", "To {to_id}.", "In place of {delegated_by}, who is away.", "{comment}", icon="arrow-left"),
    "review.second_given_next": say("Second look overdue, and given to the next reviewer", "To {to_id}.", "Before: {from_id}.", icon="clock", tone="attention"),
    "review.second_submitted": say("Looked at it as the second reviewer; confirms the first: {agrees}", "{words}", icon="users", tone="good", looks=_seconded),
    "review.acts_accepted": say("Accepted {count} actions outside the intent", "{note}", "All of kind {class}.", icon="check"),
    "review.acceptance_taken_back": say("Took an acceptance back", icon="arrow-left"),
    "change.recorded": say("Changes are in change control: {reference}", "{count} actions.", "{disposition}.", "Raised {raised_at}.",
                           "Approved by {approved_by}.", icon="file-text"),
    "privacy.decided": say("Privacy was decided; breach: {breach}", "{reason}", "Notice due {notice_due_at}.", icon="shield-lock"),
    "privacy.notified": say("The breach was notified {notified_at}", "{delay_reason}", icon="bell"),
    "review.act_refused": refused("the review"),
    "campaign.started": say("An attestation began", "Lines: {item_count}.", "Due {due_at}.", icon="list-check", tone="accent"),
    "campaign.item_listed": say("A line of an attestation was listed", "{label}", "For {reviewer_id}.", "Due {due_at}.", icon="list-check"),
    "campaign.item_reassigned": say("A line was put to another: {cause}", "To {to_id}.", "Before: {from_id}.", icon="arrow-right", tone="attention"),
    "campaign.item_shown": say("A line of an attestation was put before its reviewer", icon="eye"),
    "campaign.item_decided": say("Attested: {decision}", "{reason}", "To {to_id}.", icon="rubber-stamp"),
    "campaign.evidence_opened": say("The evidence of a line was looked at", icon="eye"),
    "campaign.bulk_kept": say("Lines were kept together: {count}", "Of risk {risks}.", icon="checks"),
    "campaign.removal_done": say("A removal was carried out", "By {done_by}.", icon="trash"),
    "campaign.removal_read_back": say("The target was listed after a removal; access still there: {access_present}", icon="search"),
    "campaign.closed": say("An attestation was closed", "Kept {kept}, modified {modified}, revoked {revoked}, undecided {undecided}.",
                           icon="checks", tone="good"),
    "campaign.act_refused": refused("an attestation"),
    "drill.started": say("A drill began", icon="activity", tone="accent"),
    "drill.judged": say("The drill was judged; it worked: {worked}", "Failed: {failed}.", icon="activity", looks=_drilled),
    "drill.act_refused": refused("a drill"),
    "duty.set": say("Owed: {kind}, due {due_at}", icon="calendar"),
    "duty.missed": say("Not done by its time: {kind}", "Due {due_at}.", icon="clock", tone="attention"),
    "finding.raised": say("Finding: {title}", "{details}", "Owner {owner_id}.", "Due {due_at}.", icon="flag", tone="attention"),
    "finding.assigned": say("The finding has an owner: {owner_id}", "Due {due_at}.", icon="user-check"),
    "finding.answered": say("The finding was answered", "Cause: {cause}.", "Response: {response}.", icon="pencil"),
    "finding.due_moved": say("The finding's date was moved to {due_at}", "{reason}", icon="calendar"),
    "finding.retest_asked": say("Control test {test_id} is to be run again", icon="search"),
    "finding.retested": say("Control test {test_id} was run again; passed: {retest_ok}", "{says}", icon="search"),
    "finding.closed": say("The finding was closed; looked at again: {retest_ok}", "{comment}", icon="circle-check", tone="good"),
    "finding.act_refused": refused("a finding"),
}  # fmt: skip
