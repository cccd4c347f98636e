"""What was done on the target, and what completeness says of it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from audit.cases.done import Activity, Session, Verdict
from audit.cases.fold.state import Folding, Handler, words
from audit.log.read import LoggedEvent


def _session(to: Folding, event: LoggedEvent) -> None:
    given = event.fields
    known = to.sessions.get(given["session_id"]) or Session(given["session_id"], given["source_session"])
    to.sessions[known.id] = replace(known, **SESSION_CHANGES[event.name](event))


SESSION_CHANGES: dict[str, Callable[[LoggedEvent], dict[str, Any]]] = {
    "session.started": lambda event: {
        "login": event.says("login"), "database": event.says("database"), "remote": event.says("remote"),
        "started_at": event.fields["started_at"],
    },
    "session.ended": lambda event: {
        "ended_at": event.fields["ended_at"], "state": event.fields["state"], "missing": event.fields["missing"],
        "ranges": words(event, "missing_ranges"),
    },
    "session.refused": lambda event: {
        "login": event.says("login"), "remote": event.says("remote"), "started_at": event.fields["happened_at"],
        "refused": event.fields["outcome"],
    },
}  # fmt: skip


def _activity(to: Folding, event: LoggedEvent) -> None:
    given = event.fields
    to.activities.setdefault(given["activity_id"], Activity(
        given["activity_id"], str(event.id), event.index, given["session_id"], given["class"], bool(given["at_least"]),
        given["outcome"], given.get("state_code", ""), given["happened_at"], given["source_number"], event.says("statement"),
        event.says("object"), given.get("statement_length"),
    ))  # fmt: skip


def _learned(to: Folding, event: LoggedEvent) -> None:
    to.learned[event.fields["activity_id"]] = (event.fields["outcome"], event.fields.get("state_code", ""))


def _judged(to: Folding, event: LoggedEvent) -> None:
    given = event.fields
    if given["kind"] == "grant":
        to.verdicts[given["source_id"], given["window_id"]] = Verdict(
            given["source_id"], event.at, given["verdict"], given["from_at"], given["to_at"], words(event, "reasons"),
            words(event, "ranges"),
        )  # fmt: skip


HANDLERS: dict[str, Handler] = {
    **dict.fromkeys(SESSION_CHANGES, _session),
    "activity.recorded": _activity,
    "activity.outcome_learned": _learned,
    "completeness.judged": _judged,
}
