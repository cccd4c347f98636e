"""Offline cards."""

from audit.cases.presenters.spec import Presenter, say
from audit.log.read import LoggedEvent


def _drilled(event: LoggedEvent) -> tuple[str, str] | None:
    return None if event.fields["ok"] else ("alert-triangle", "attention")


PRESENTERS: dict[str, Presenter] = {
    "offline.cards_prepared": say("Prepared offline cards, set {number}", "The target has not been given their password yet.", icon="hourglass"),
    "offline.custodian_missing": say("No new offline cards can be made: a custodian is missing", "{custodians}.", icon="alert-triangle", tone="attention"),
    "offline.change_begun": say("About to give the target the password of offline cards, set {number}", icon="hourglass"),
    "offline.cards_made": say("The target took the password of offline cards, set {number}", "For {custodians}.", icon="key", tone="accent"),
    "offline.card_printed": say("{custodian_id} printed card {letter} of set {number}", "The portal has it no more.", icon="file-text"),
    "offline.card_held": say("{custodian_id} holds card {letter} of set {number}", icon="user-check"),
    "offline.handed_out": say("Both cards of set {number} are with their custodians", icon="user-check", tone="good"),
    "offline.not_printed": say("The cards of set {number} are still not both printed", icon="clock", tone="attention"),
    "offline.drill_due": say("The cards of set {number} are to be drilled", "Due {due_at}.", icon="clock", tone="attention"),
    "offline.drill_begun": say("{person_id} began a drill of the cards of set {number}", "Asked: {question}.", icon="key"),
    "offline.drilled": say("The cards of set {number} were drilled; both work: {ok}", icon="check", tone="good", looks=_drilled),
    "offline.used": say("{person_id} says that the offline cards were used", "From {from_at} to {to_at}.", "Set {number}.", "Sessions: {sessions}.",
                        icon="bolt", tone="attention"),
    "offline.sessions_bound": say("Sessions on the target belong to a declared use of set {number}", "Sessions: {sessions}.", icon="link"),
    "offline.use_confirmed": say("The use of set {number} is confirmed: its secret is known", "Also said by {word_of}.", "Sessions: {sessions}.", icon="bolt",
                                 tone="attention"),
    "offline.review_due": say("A review of the use of offline cards is due {due_at}", "By one of {pool}.", icon="clipboard-list"),
    "offline.reviewed": say("The use of offline cards was reviewed: {outcome}", "Real emergency: {emergency_upheld}.", "Adverse answers: {adverse_answers}.",
                            "{comments}", icon="clipboard-check", tone="good"),
    "offline.replaced": say("The cards of set {number} are worth nothing any more", icon="trash"),
}  # fmt: skip
