"""Backups, and rehearsals of restoring them."""

from audit.cases.presenters.spec import Presenter, say

PRESENTERS: dict[str, Presenter] = {
    "backup.made": say(
        "A backup was made", "Up to {size} entries, {rows} rows; {bytes} bytes written to {place}.", "After an outage since {outage_from}.",
        "Entries that were cut still lie there. {not_cut}",
        icon="download", tone="good",
    ),
    "backup.failed": say("No backup could be made", "{sentence}", "{kept}", "{to_do}", icon="alert-octagon", tone="attention"),
    "backup.late": say("Too long since the last {what}", "Due {due_at}.", "{sentence}", "{to_do}", icon="clock", tone="attention"),
    "backup.rehearsed": say(
        "Restoring a backup was rehearsed", "{size} entries and {rows} rows came back; {missing} were sealed since.", "After an outage since {outage_from}.",
        icon="refresh", tone="good",
    ),
    "backup.rehearsal_failed": say("A backup could not be restored for trial", "{sentence}", "{kept}", "{to_do}", icon="alert-octagon", tone="attention"),
}  # fmt: skip
