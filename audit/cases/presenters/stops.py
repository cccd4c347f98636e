"""Emergency stops."""

from audit.cases.presenters.spec import Presenter, refused, say

PRESENTERS: dict[str, Presenter] = {
    "stop.started": say("Started an emergency stop", "{reason}", icon="hand-stop", tone="attention"),
    "stop.lift_asked": say("Asked to lift an emergency stop", "{reason}", icon="hourglass", tone="attention"),
    "stop.lift_declined": say("Kept an emergency stop in force", "{reason}", "Lifting was asked for by {asked_by}.", icon="hand-stop", tone="attention"),
    "stop.lifted": say("Lifted an emergency stop", "Asked for by {asked_by}.", "In force since {started_at}.", icon="circle-check", tone="good"),
    "stop.act_refused": refused("an emergency stop"),
}  # fmt: skip
