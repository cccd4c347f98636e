"""Reviews, campaigns and findings."""

from audit.events.spec import family

FINDING = "finding_id:id"
ITEM = "item_id:id campaign_id:id"

EVENTS = family(
    ("review.due", "A use is to be reviewed.", "review_id:id grant_id:id system_id:id due_at:time pool:list"),
    ("review.claimed", "A reviewer took the review.", "review_id:id grant_id:id reviewer_id:id"),
    ("review.handed_over", "A reviewer gave the review back or to another.", "review_id:id grant_id:id to_id:id? comment*?"),
    ("review.given_next", "A review that was overdue was given to the next reviewer.", "review_id:id grant_id:id from_id:id? to_id:id due_at:time"),
    ("review.saved", "Answers were saved, half-done.", "review_id:id grant_id:id answered:int"),
    ("review.submitted", "A reviewer judged the use.",
     "review_id:id grant_id:id system_id:id reviewer_id:id due_at:time answers:map answers_missing:int adverse_answers:int emergency_upheld:bool accepted_activities:list "
     "outcome statement_sha256 comments*? involved:list active_seconds:int? evidence_skipped:int? activities_seen:int? log_says:map?"),
    ("review.acts_accepted", "A reviewer accepted actions outside the intent, one by one or as a group up to an entry of the log.",
     "acceptance_id:id review_id:id grant_id:id activities:list session_id:id? class? upto:int? count:int note*"),
    ("review.acceptance_taken_back", "A reviewer no longer accepts what they accepted.", "acceptance_id:id review_id:id grant_id:id"),
    ("change.recorded", "A change record of change control was named for changes of a use, up to an entry of the log.",
     "change_record_id:id review_id:id grant_id:id reference raised_at:time approved_by:id? disposition kinds:list upto:int count:int"),
    ("privacy.decided", "Somebody decided whether personal data was exposed by a use.",
     "review_id:id grant_id:id breach:bool risk_unlikely:bool reason* reason_given:bool due_at:time aware_at:time? notice_due_at:time?"),
    ("privacy.notified", "A breach was notified to the authority.", "review_id:id grant_id:id notified_at:time delay_reason*? delay_reason_given:bool"),
    ("review.act_refused", "An act on a review was refused.", "act code kind sentence"),
    ("campaign.started", "An attestation began.",
     "campaign_id:id duty_id:id kind system_id:id? snapshot_at:time snapshot_sha256 item_count:int second_count:int? second_source:text? not_put_to_anyone:int due_at:time listing_id:id?"),
    ("campaign.item_listed", "One line of an attestation.",
     ITEM + " subject_id:id subject_kind person_id:id? privilege_id:id? owner_id:id reviewer_id:id? due_at:time label*?"),
    ("campaign.item_reassigned", "A line was put to somebody else, or to nobody, by the portal: who had it could not judge it any longer, or now there is somebody.",
     ITEM + " from_id:id? to_id:id? owner_id:id cause"),
    ("campaign.item_shown", "A line was put before its reviewer.", ITEM),
    ("campaign.evidence_opened", "Who judges a line looked at its evidence.", ITEM),
    ("campaign.item_decided", "A line was decided.", ITEM + " decision reason_given:bool reason*? involved:list? to_id:id? expires_at:time? delegated_by:id? "
     "risk:text? evidence_opened:bool? same_reason:int? bulk_id:id?"),
    ("campaign.bulk_kept", "Lines were kept together.", "campaign_id:id bulk_id:id count:int risks:list mixed_risk:bool"),
    ("campaign.removal_done", "A decision to remove was carried out.", ITEM + " done_at:time done_by"),
    ("campaign.removal_read_back", "The target was listed after a removal.", ITEM + " listing_id:id? read_back_at:time read_back_by access_present:bool"),
    ("campaign.closed", "An attestation was closed with its statement.",
     "campaign_id:id duty_id:id kind system_id:id? closed_at:time recomputed_sha256 statement_sha256 kept:int modified:int revoked:int undecided:int"),
    ("campaign.act_refused", "An act on an attestation was refused.", "act code kind sentence"),
    ("duty.set", "Something is owed on a schedule.", "duty_id:id kind subject_kind system_id:id? days_since_previous:int? due_at:time"),
    ("duty.missed", "Something owed was not done by its time.", "duty_id:id kind system_id:id? due_at:time"),
    ("drill.started", "The emergency way is rehearsed.", "drill_id:id system_id:id repeats_id:id?"),
    ("drill.judged", "How a drill went.",
     "drill_id:id system_id:id grant_id:id? over_at:time worked:bool failed:list repeats_id:id?"),
    ("drill.act_refused", "An act on a drill was refused.", "act code kind sentence"),
    ("finding.raised", "There is something to put right.",
     FINDING + " kind test_id:text? about_id:id system_id:id? source_index:int? owner_id:id? due_at:time? assigned_at:time? title details*?"),
    ("finding.assigned", "A finding has an owner and a date.", FINDING + " owner_id:id due_at:time"),
    ("finding.answered", "Cause and response were given.", FINDING + " cause* response* cause_given:bool response_given:bool proof*? proof_given:bool?"),
    ("finding.due_moved", "A finding's date was moved.", FINDING + " due_at:time extended_by:id reason*?"),
    ("finding.retest_asked", "The control test of a finding is to be run again, over what happened since its answer.",
     FINDING + " retest_id:id test_id about_id:id system_id:id? since:time"),
    ("finding.retested", "The control test of a finding was run again on the log alone.",
     FINDING + " retest_id:id test_id retest_ok:bool says result_of_subject? rows:int failed:int log_size:int catalogue_sha256"),
    ("finding.closed", "A finding was closed.", FINDING + " retest_ok:bool comment*?"),
    ("finding.act_refused", "An act on a finding was refused.", "act code kind sentence"),
)  # fmt: skip
