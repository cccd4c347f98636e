"""Requests and what others answer."""

from audit.cases.presenters.spec import Presenter, refused, say
from audit.log.read import LoggedEvent


def _by_mode(event: LoggedEvent) -> tuple[str, str] | None:
    return ("bolt", "glass") if event.fields["mode"] == "bypass" else None


PRESENTERS: dict[str, Presenter] = {
    "request.made": say("{mode}: asked for {privilege_name} on {system_name}, {minutes}", "{reason}", "{criterion}.", "Incident {incident_ref}.",
                        "Intends: {intended_classes}.", "Asked: {asked}.", "Skipped: {skipped}.", "Told: {told}.", "Owed until review: {owed}.",
                        "With {factor}.",
                        "Intent taken over from case {joins_id}.",
                        icon="key", tone="accent", looks=_by_mode),
    "request.supplemented": say("Gave what the bypass owed", "{reason}", "{category}.", "Intends: {intended_classes}.", "Incident {incident_ref}.",
                                icon="pencil"),
    "request.passed_on": say("Nobody had seen it for {waited_minutes} minutes, so the next were told: {told}", "Turn {tier}.",
                             "On call by the rota {rota}.", "Of the groups: {groups}.",
                             "Nobody was here of the rota {unmanned}.", icon="bell", tone="attention"),
    "request.seen": say("Has seen the request", icon="eye"),
    "request.questioned": say("Asked the responder", "{text}", icon="help-circle", tone="accent"),
    "request.answered": say("Answered a question", "{text}", icon="pencil"),
    "request.approved": say("Approved: {approvals} of {approvals_needed}", "Group: {group}.", "In place of {delegated_by}.",
                            "{comment}", icon="circle-check", tone="good"),
    "request.declined": say("Declined", "{comment}", icon="ban"),
    "request.withdrawn": say("Took the request back", "{comment}", icon="arrow-left"),
    "request.lapsed": say("Lapsed: nobody answered in time", "Asked {asked_at}.", icon="hourglass"),
    "request.refused": say("Refused: a request", "{sentence}", icon="ban"),
    "request.refused_often": say(
        "Openings wanted by {person_id} were refused {times} times", "From {first_at} to {last_at}.", icon="alert-triangle", tone="attention"
    ),
    "request.approval_refused": say("Refused: a decision on the request", "{sentence}", icon="ban"),
    "request.act_refused": refused("the request"),
}  # fmt: skip
