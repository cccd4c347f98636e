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
}  # fmt: skip
