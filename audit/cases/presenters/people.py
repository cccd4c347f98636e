"""People, their sign-ins and second factors."""

from audit.cases.presenters.spec import Presenter, refused, say

PRESENTERS: dict[str, Presenter] = {
    "portal.founded": say("The first administrators were made: {administrators}", "At {host}.", icon="users", tone="accent"),
    "person.added": say("Added {name}", "{email}", icon="user-plus"),
    "person.manager_set": say("It was said whom {person_id} reports to", "To {manager_id}.", icon="users"),
    "person.sponsored": say(
        "It was said anew who answers for {person_id}", "{sponsor_id}, before {before_sponsor_id}.",
        "The contract ends {contract_end}, before {before_contract_end}.", "{reason}", icon="user-check",
    ),
    "person.left": say("{person_id} left", icon="logout"),
    "person.moved": say("{person_id} moved to other work", "From {before}.", "To {unit}.", icon="arrow-right", tone="accent"),
    "person.placed": say("Noted where {person_id} works", "{unit}.", icon="user"),
    "personnel.read": say("Read a personnel list of {rows} lines", "Taken {taken_at}.", "{query}", "SHA-256 {sha256}.", icon="users"),
    "personnel.second_asked": say("A personnel list waits for a second administrator: {leavers} of {people} would leave", icon="clock", tone="attention"),
    "personnel.imported": say(
        "Imported a personnel list: {leavers} left, {movers} moved, {joiners} are not in the portal",
        "Taken {taken_at}.", "First confirmed by {asked_by}.", "{query}", "SHA-256 {sha256}.", icon="users", tone="accent",
    ),
    "personnel.discarded": say("Laid a personnel list aside: {cause}", icon="trash"),
    "personnel.act_refused": refused("a personnel list"),
    "person.act_refused": refused("a person"),
    "signin.opened": say("Signed in with {factor}", "From {address}.", "{agent}", icon="login"),
    "signin.refused": say("A sign-in was refused: {kind}", "{email}", "{person_id}", "From {address}.", icon="ban"),
    "signin.strengthened": say("Gave a fresh second factor: {factor}", icon="fingerprint"),
    "signin.ended": say("A sign-in ended: {cause}", icon="logout"),
    "factor.enrolled": say("Enrolled a second factor: {factor}", "{passkey}", icon="fingerprint"),
    "factor.renamed": say("Gave a passkey another name", "{passkey}", icon="pencil"),
    "factor.removed": say("A second factor was removed: {factor}", "{passkey}", "Of {person_id}.", icon="trash"),
    "factor.reset_proposed": say("Proposed to reset the second factor of {person_id}", "{reason}", icon="refresh"),
    "factor.reset_approved": say("Approved the reset of the second factor of {person_id}", "Takes effect at {cools_until}.", icon="refresh", tone="accent"),
    "factor.reset_declined": say("Declined the reset of the second factor of {person_id}", icon="ban"),
    "factor.reset_cancelled": say("Cancelled the reset of the second factor of {person_id}", icon="x"),
    "factor.reset_finished": say("Enrolled anew after a reset; the lost factors are void", icon="check", tone="accent"),
    "factor.reset_lapsed": say("The reset of the second factor of {person_id} lapsed", icon="hourglass"),
    "factor.reset_on_host": say("The second factor of {person_id} was reset on the host", "{reason}", "On {host} by {account}.",
                                icon="alert-octagon", tone="attention"),
    "recovery.made": say("Made {count} recovery codes; earlier ones are void", icon="key"),
    "password.changed": say("Chose a new password", icon="key"),
    "password.given": say("A one-time password was made for {person_id}", "Good until {valid_until}.", icon="key"),
    "signin.act_refused": refused("a sign-in"),
}  # fmt: skip
