"""Legal holds and erasure."""

from audit.cases.presenters.spec import Presenter, refused, say

PRESENTERS: dict[str, Presenter] = {
    "hold.set": say("Set a legal hold: nothing of it is erased", "{person_id}", "Case {case_id}.", "{reason}", icon="lock", tone="attention"),
    "hold.lift_asked": say("Asked to lift a legal hold", "{person_id}", "Case {case_id}.", "{reason}", icon="hourglass", tone="attention"),
    "hold.kept": say("Kept a legal hold in force", "Lifting was asked for by {asked_by}.", icon="lock", tone="attention"),
    "hold.lifted": say("Lifted a legal hold", "Asked for by {asked_by}.", icon="lock-open"),
    "hold.act_refused": refused("a legal hold"),
    "erasure.asked": say("Asked to erase what is kept of {person_id}", "{basis}.", "{reason}", icon="trash", tone="attention"),
    "erasure.declined": say("Declined to erase what is kept of {person_id}", "Asked for by {asked_by}.", icon="x"),
    "erasure.confirmed": say("Confirmed that what is kept of {person_id} is erased", "{basis}.", "Asked for by {asked_by}.", icon="trash", tone="attention"),
    "erasure.done": say("What was kept of {person_id} is erased", "{basis}.", "Asked for by {asked_by}, confirmed by {approved_by}.",
                        "{values} values of the log.", "Elsewhere: {rows}.", icon="trash", tone="attention"),
    "erasure.act_refused": refused("an erasure"),
    "retention.set": say("How many days entries are kept at least: {terms}", icon="hourglass"),
    "personal_values.expired": say("What was personal in old entries is erased, since its time had come", "Written before {before}.", icon="trash"),
    "cut.proposed": say("Proposed to cut the entries before entry {minimum_index}", "{reason}", icon="trash", tone="attention"),
    "cut.approved": say("Approved that the entries before entry {minimum_index} are cut", "Proposed by {asked_by}.", icon="trash", tone="attention"),
    "cut.declined": say("Declined to cut the entries before entry {minimum_index}", "Proposed by {asked_by}.", "{why}", icon="x"),
    "log.cut": say("From here on the log begins with entry {minimum_index}", "Cut under retention: entries {from_index} and after, from {from_at} to {to_at}.",
                   "{reason}", "Proposed by {asked_by}, approved by {approved_by}.", icon="trash", tone="attention"),
    "cut.portion_removed": say("Some of the entries before entry {minimum_index} are removed", "{entries} entries, {values} personal values.", icon="trash"),
    "cut.done": say("The entries before entry {minimum_index} are gone; their hashes stay", "{entries} entries, {values} personal values, {cases} cases.",
                    "{stayed} entries stay, since they say what is in force or belong to a case that goes on.", icon="trash", tone="attention"),
    "cut.act_refused": refused("a cut of old entries"),
}  # fmt: skip
