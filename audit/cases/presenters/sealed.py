"""Sealed accounts: the register, custody, new secrets."""

from audit.cases.presenters.spec import Presenter, refused, say
from audit.log.read import LoggedEvent

DECIDED = "Approved by {approved_by}."


def _tested(event: LoggedEvent) -> tuple[str, str] | None:
    return None if event.fields["ok"] else ("alert-triangle", "attention")


def _listed(event: LoggedEvent) -> tuple[str, str] | None:
    return None if event.fields["in_register"] and event.fields["in_target"] else ("alert-triangle", "attention")


def _checked_out(event: LoggedEvent) -> tuple[str, str] | None:
    return ("alert-triangle", "attention") if event.fields.get("secret_known") else None


PRESENTERS: dict[str, Presenter] = {
    "sealed.shut": say("A sealed account out of use is shut on its target", "{sessions_ended} sessions ended.", icon="lock"),
    "sealed.proposed": say("Proposed to keep {name} under seal", "Account {account}.", "Custodian {custodian_id}.", icon="pencil"),
    "sealed.registered": say("{name} is kept under seal", "Account {account}.", "Custodian {custodian_id}.", "Used at: {location}.", DECIDED,
                             icon="lock", tone="accent"),
    "sealed.declined": say("Declined to keep an account under seal", icon="ban"),
    "sealed.custodian_changed": say("{custodian_id} keeps the sealed account", "Before: {before_id}.", "The other card: {second}.", icon="user-check"),
    "sealed.custodian_missing": say("The sealed account needs another custodian", "Missing: {custodians}.", icon="alert-triangle", tone="attention"),
    "sealed.retired": say("A sealed account was taken out of use", icon="trash", tone="attention"),
    "sealed.checked_out": say(
        "{person_id} holds the sealed account", "Nobody else does until it is checked in.",
        "A secret that was shown before still works: {secret_known}; sessions may be another's.", "Earlier uses: {earlier_grants}.",
        icon="key", tone="accent", looks=_checked_out,
    ),
    "sealed.released": say("A second person let the secret be shown, once", icon="lock-open", tone="accent"),
    "sealed.checked_in": say("The sealed account was checked in", "Its secret was shown: {shown}.", icon="lock"),
    "sealed.rotation_owed": say("A new secret is owed until {due_at}", "{cause}.", "By {custodian_id}.", icon="clock", tone="attention"),
    "sealed.rotation_begun": say("About to give the account a new secret", icon="hourglass"),
    "sealed.rotated": say("The account got a new secret", "By {rotated_by}.", icon="refresh", tone="good"),
    "sealed.tested": say("A login with the new secret was tried; it works: {ok}", "By {tested_by}.", icon="check", tone="good", looks=_tested),
    "sealed.account_listed": say("Register and target: {login}", "In the register: {in_register}.", "On the target: {in_target}.", "Can log in: {enabled}.",
                                 icon="list-check", looks=_listed),
    "sealed.act_refused": refused("a sealed account"),
}  # fmt: skip
