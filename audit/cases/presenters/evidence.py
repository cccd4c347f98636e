"""Alerts, looking, packs, keys and erasure."""

from audit.cases.presenters.spec import Presenter, refused, say

PRESENTERS: dict[str, Presenter] = {
    "alert.queued": say("To be told: {recipient_id}", "{kind}, by {channel}.", icon="bell"),
    "alert.sent": say("Told: {recipient_id}", "{kind}, by {channel}, attempt {attempts}.", icon="mail"),
    "alert.failed": say("Could not be told yet: {recipient_id}", "{kind}, by {channel}, attempt {attempts}: {code}.", icon="alert-triangle", tone="attention"),
    "alert.seen": say("Had the alert before them: {recipient_id}", icon="eye"),
    "alert.acknowledged": say("Has seen the alert: {recipient_id}", "Said over the {over}.", icon="eye"),
    "alert.act_refused": refused("an alert"),
    "list.downloaded": say("Took away the list of {list}: {rows} rows", "{query}", icon="download"),
    "search.saved": say("Saved a search of {list}: {name}", "{query}", "For everybody: {shared}.", icon="search"),
    "search.removed": say("Removed a saved search of {list}", icon="trash"),
    "search.act_refused": refused("a saved search"),
    "page.viewed": say("Looked at {page}", icon="eye"),
    "page.act_refused": say("Refused: looking at a record", "{sentence}", icon="ban"),
    "pack.requested": say("Asked for an evidence pack, {period_start} to {period_end}", "{frameworks}.", "{purpose}", icon="file-text"),
    "pack.made": say("An evidence pack was made", "{pages} pages at log size {log_size}.", "SHA-256 {pdf_sha256}.", icon="file-certificate", tone="good"),
    "pack.failed": say("An evidence pack could not be made", "{sentence}", icon="alert-triangle", tone="attention"),
    "pack.downloaded": say("Downloaded an evidence pack", "{redaction_profile}.", icon="download"),
    "pack.act_refused": refused("a pack"),
    "dossier.made": say("The dossier was made: {verdict}", "At log size {log_size}.", "For {recipients}.", "SHA-256 {pdf_sha256}.",
                        icon="file-certificate", tone="good"),
    "dossier.failed": say("The dossier could not be made", "{sentence}", icon="alert-triangle", tone="attention"),
    "dossier.downloaded": say("Downloaded the dossier", icon="download"),
    "dossier.act_refused": refused("a dossier"),
    "key.added": say("A key came into use: {kind}", "{public}", icon="key"),
    "personal_value.erased": say("A personal value was erased: {field}", "Of event {event_id}.", "{basis}", icon="trash"),
    "reconciliation.compared": say("Live tables were held against the log; they agree: {ok}", "{differences}", icon="scale"),
    "log.checked": say("The log was checked; it is whole: {ok}", "{size} entries, {published} of them published.", icon="shield-lock"),
    "log.damage_found": say("A check of the log found damage", "{damages}", icon="alert-octagon", tone="attention"),
    "log.refused": say("The log could not be written, {count} times", "From {from_at} to {to_at}.", icon="alert-octagon", tone="attention"),
}  # fmt: skip
