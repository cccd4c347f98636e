"""What each part of the portal is for, and what comes later while it is down: words for the status page."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class About:
    """One part in words."""

    label: str
    does: str
    late: str


PROCESSES: Mapping[str, About] = {
    "sealer": About(
        "Sealer", "Seals each new event into the log and signs how far it is sealed.",
        "Events are written and wait unsealed; opening waits or goes ahead as the policy says.",
    ),
    "worker": About(
        "Worker", "Does the work that is queued: mails, dossiers, packs, openings that are tried again.",
        "Mails, dossiers and packs come later. Watch still ends what is due and sends mail.",
    ),
    "beat": About(
        "Beat", "Hands out the work on a schedule, every few seconds.",
        "Reviews, reminders and campaigns begin later. Watch still ends what is due.",
    ),
    "watch": About(
        "Watch", "Ends what is due without the broker, sends heartbeats to the targets and holds their watchdogs.",
        "The second sweep rests and heartbeats stop, so records stay pending. Beat still ends what is due.",
    ),
    "gather": About(
        "Gather", "Reads what the targets' own logs say was done.",
        "Statements are not seen here yet. They wait on the targets; verdicts say pending.",
    ),
    "sweep:beat": About(
        "Last sweep by beat", "Looks every five seconds for access whose time is over, and ends it.",
        "The sweep by watch ends it alone.",
    ),
    "sweep:watch": About(
        "Last sweep by watch", "Looks every second for access whose time is over, and ends it.",
        "The sweep by beat ends it alone, within five seconds.",
    ),
}  # fmt: skip

PARTS: Mapping[str, About] = {
    "seal": About(
        "Last seal", "The last signed statement of how long the log is.", "New events can be read and not yet proved.",
    ),
    "published": About(
        "Published log", "What everybody can read and check: the files of the log.", "Others see an older log; nothing is lost.",
    ),
    "witnesses": About(
        "Witnesses", "Sign what they have seen of the log, so that it cannot be set back or split.",
        "The log is not witnessed; systems whose policy demands it open nothing.",
    ),
    "timestamps": About(
        "Timestamps", "Once an hour an authority outside says when the log was so far.", "When an entry was there is shown by the portal's clock alone.",
    ),
    "check": About(
        "Check of the log", "Reads the whole log once a day, and what is published of it.", "Damage is found later, or by others.",
    ),
    "guards": About(
        "Who could alter the log", "Twice a day the rights on the database and on the published files are looked up.",
        "A change of what is stored is shown by witnesses and by the published log, not prevented.",
    ),
    "backup": About(
        "Backup", "Keeps the log, what lies beside it and the portal's rows of one moment, each hour.",
        "If the database is lost, so is what was written since; values that were erased stay in old copies.",
    ),
    "rehearsal": About(
        "Rehearsal of a restore", "Restores the last backup into a database of its own, and holds it against the log.",
        "Nobody knows whether the backups can be restored.",
    ),
    "outbox": About(
        "Outbox", "Holds every mail until it was sent.", "People are told later; nothing that waits is lost.",
    ),
    "broker": About(
        "Broker", "Carries work from beat to the worker.", "Watch does what is due; the rest comes later.",
    ),
    "disk": About(
        "Disk", "Keeps the database, the log's files and the packs.", "A full disk stops the log, and with it every act.",
    ),
}  # fmt: skip
