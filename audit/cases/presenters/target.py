"""What targets' logs say, and what completeness says of them."""

from audit.cases.done import FAILED
from audit.cases.presenters.spec import Presenter, say
from audit.log.read import LoggedEvent


def _outcome(event: LoggedEvent) -> tuple[str, str] | None:
    return ("alert-triangle", "attention") if event.fields["outcome"] in FAILED else None


def _verdict(event: LoggedEvent) -> tuple[str, str] | None:
    return {
        "complete": ("circle-check", "good"),
        "reconciled": ("circle-check", "good"),
        "pending": ("clock", "quiet"),
    }.get(event.fields["verdict"])


def _weakens(event: LoggedEvent) -> tuple[str, str] | None:
    return ("alert-triangle", "attention") if event.fields["weakens"] else None


PRESENTERS: dict[str, Presenter] = {
    "source.epoch_started": say("The target's server started {started_at}", "After {after}.", icon="server"),
    "source.heartbeat_seen": say("A heartbeat came back through the target's own log", "Seen there {seen_at}.", icon="heartbeat"),
    "source.loss_found": say("Records are missing: {kind}", "{says}", "From {from_at} to {to_at}.", "Session {source_session}.",
                             "Numbers {from_number} to {to_number}.",
                             icon="alert-triangle", tone="attention"),
    "source.settings_changed": say("The target's logging setting {setting} changed", "Now {value}.", "{happened_at}.", icon="adjustments", looks=_weakens),
    "source.error_seen": say("The target's log is out of reach: {kind}", "{says}", icon="alert-triangle", tone="attention"),
    "source.recovered": say("The target's log is in reach again", "{says}", icon="check"),
    "session.started": say("Connected as {login}", "Session {source_session}.", "Database {database}.", "From {remote}.", "On the target {started_at}.",
                           icon="terminal-2"),
    "session.ended": say("The connection ended", "Session {source_session}, {last_number} numbered lines, {state}.", "Missing: {missing_ranges}.",
                         "On the target {ended_at}.", icon="logout"),
    "session.refused": say("A login was not let in: {outcome}", "{login}", "From {remote}.", "{state_code}.", "On the target {happened_at}.",
                           icon="ban", looks=_outcome),
    "session.unmatched": say("A connection that no grant explains: {login}", "Session {source_session}.", "{why}.", "On the target {started_at}.",
                             icon="alert-triangle", tone="attention"),
    "activity.recorded": say("{class}: {outcome}", "{statement}", "On {object}.", "On the target {happened_at}.", icon="activity", looks=_outcome),
    "activity.outcome_learned": say("An action's outcome was learned: {outcome}", "{state_code}.", icon="activity", looks=_outcome),
    "completeness.judged": say("The record was judged: {verdict}", "{reasons}", "Missing: {ranges}.", icon="alert-triangle", tone="attention", looks=_verdict),
    "completeness.gap_found": say("The record has a gap", "{reasons}", "Missing: {ranges}.", icon="alert-triangle", tone="attention"),
}  # fmt: skip
