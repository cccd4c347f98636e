"""Opening and ending."""

from audit.cases.presenters.spec import Presenter, refused, say
from audit.log.read import LoggedEvent


def _read_back(event: LoggedEvent) -> tuple[str, str] | None:
    left = not event.fields["clear"] or event.fields["drift"]
    return ("alert-triangle", "attention") if left else None


PRESENTERS: dict[str, Presenter] = {
    "grant.authorised": say("Access may be opened for {minutes}", "Grant {number}.", icon="key", tone="accent"),
    "grant.opening": say("About to open the target, attempt {attempt}", "Login {login}.", "Would end {expires_at}.", icon="circle-dashed", tone="accent"),
    "grant.activated": say("Open until {expires_at}", "Login {login}.", "Statements are logged: {statement_logging}.", "Intent sealed as entry {sealed_index}.",
                           "Opened before the log was sealed: {unsealed}.", "{warnings}.", icon="lock-open", tone="glass"),
    "grant.opening_failed": say("Attempt {attempt} to open failed", "{sentence}", "Tried again: {again}.", icon="alert-triangle", tone="attention"),
    "grant.failed": say("Not opened", "{sentence}", "{reason}", icon="alert-triangle", tone="attention"),
    "grant.revealed": say("The password was shown to the responder", icon="eye"),
    "grant.extension_asked": say("Asked for {minutes} more", "{reason}", icon="plus"),
    "grant.extended": say("Gave {minutes} more", "{reason}", "Ends {expires_at}.", icon="plus", tone="accent"),
    "grant.extension_declined": say("Declined more time", "{comment}", icon="ban"),
    "grant.extension_applied": say("The target carries the later end", "Ends {expires_at}.", icon="check"),
    "grant.returned": say("The responder is done", "Over {over_at}.", icon="lock", tone="accent"),
    "grant.expired": say("The time is over", "Over {over_at}.", icon="clock", tone="accent"),
    "grant.revoked": say("Access was ended: {cause}", "{reason}", "Over {over_at}.", icon="hand-stop", tone="attention"),
    "grant.closing": say("About to close the target, attempt {attempt}", icon="hourglass"),
    "grant.close_failed": say("Attempt {attempt} to close failed; access may still be live", "{sentence}", icon="alert-triangle", tone="attention"),
    "grant.read_back": say("Read the target after closing; clear: {clear}", "Still there: {remainders}.", "{remainder_details}.",
                           "Differs from before: {drift}.",
                           "{drift_details}.", "Sessions ended: {sessions_ended}.", icon="search", tone="good", looks=_read_back),
    "grant.ended": say("Access is gone; the target confirmed it {confirmed_at}", "It ended because {cause}.", "Review due {review_due_at}.",
                       icon="lock", tone="good"),
    "grant.act_refused": refused("the access"),
}  # fmt: skip
