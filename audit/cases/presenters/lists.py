"""Systems, privileges, targets, the pre-authorised lists, and policies."""

from audit.cases.presenters.spec import Presenter, refused, say

DECIDED = "Approved by {approved_by}."

PRESENTERS: dict[str, Presenter] = {
    "system.registered": say("{name} came into scope", "Owner {owner_id}.", "{connector}, {criticality}.", DECIDED, icon="database", tone="accent"),
    "system.changed": say("{name} was changed: {changed}", DECIDED, icon="settings"),
    "system.change_proposed": say("Proposed a change of a system: {kind}", "{changed}.", icon="pencil"),
    "system.change_declined": say("Declined a change of a system: {kind}", icon="ban"),
    "system.act_refused": refused("a system"),
    "privilege.added": say("{name} can be asked for", "On the target: {on_target}.", DECIDED, icon="key"),
    "source.declared": say("A source of activity was declared: {kind}", "Counting: {counting}.", DECIDED, icon="activity"),
    "source.withdrawn": say("A source of activity was withdrawn", DECIDED, icon="trash", tone="attention"),
    "source.heartbeat_sent": say("A marked act was done on the target", "{sent_at}.", icon="heartbeat"),
    "connector.tested": say("A connection was tested; it works: {ok}", "{checks}.", icon="refresh"),
    "target.listed": say("Listed who can act as a privilege on the target: {count}", "Taken {taken_at}.", icon="list-check"),
    "target.login_listed": say("On the target: {login}", "{person_id}", "Seen in its log: {seen_in_log}.", icon="user"),
    "target.listing_failed": say("A listing of the target was not taken", "{sentence}", icon="alert-triangle", tone="attention"),
    "configuration.changed": say("Configuration changed: {model}", "{operation}: {changed}.", icon="settings"),
    "role.proposed": say("Proposed {person_id} as {role}", "Group: {group}.", "In place of {lent_by}.", "From {from_at}.", "Until {to_at}.", icon="user-plus"),
    "role.granted": say("{person_id} is {role}", "Group: {group}.", "In place of {lent_by}.", "Until {to_at}.", DECIDED, icon="user-check", tone="accent"),
    "role.declined": say("Declined {person_id} as {role}", icon="ban"),
    "role.shortened": say("{person_id} is {role} until {to_at}", icon="clock"),
    "role.ended": say("{person_id} is no longer {role}", "{cause}.", icon="minus"),
    "role.act_refused": refused("a role"),
    "eligibility.proposed": say("Proposed {person_id} for a list", "Until {expires_at}.", icon="user-plus"),
    "eligibility.granted": say("{person_id} is on the list", "Until {expires_at}.", DECIDED, icon="user-check", tone="accent"),
    "eligibility.declined": say("Declined {person_id} for a list", icon="ban"),
    "eligibility.revoked": say("{person_id} left the list", "{cause}.", icon="minus"),
    "eligibility.shortened": say("{person_id} is on the list until {expires_at}", icon="clock"),
    "eligibility.reconfirmed": say("{person_id} was kept on the list", icon="check"),
    "eligibility.act_refused": refused("a list"),
    "policy.proposed": say("Proposed policy version {number}", "SHA-256 {sha256}.", icon="scale"),
    "policy.approved": say("Policy version {number} is in force from {effective_from}", DECIDED, "SHA-256 {sha256}.", icon="scale", tone="accent"),
    "policy.declined": say("Declined policy version {number}", icon="ban"),
    "policy.confirmed": say(
        "Looked at policy version {number}: it still fits, unchanged", "{note}", "To be looked at again by {due_at}.", "SHA-256 {sha256}.", icon="eye",
        tone="good",
    ),
    "policy.act_refused": refused("a policy"),
}  # fmt: skip
