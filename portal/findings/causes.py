"""Which entries of the log are something to put right, and what the finding says. One small function for each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid5

from django.utils.crypto import salted_hmac

from audit.log.guards import amiss
from audit.log.read import LoggedEvent
from portal.clock import moment
from portal.notifications.inert import one_line
from portal.systems.models import System

TRIES_BEFORE_ALARM = 3  # of closing one grant: not clear when read back, or failed
SEVERAL = ", "
# Control tests of the catalogue, by what they show.
NO_OTHER_RIGHT, ENDED_ON_TIME, OUTSIDE_A_WINDOW, ROTATED = "T-01", "T-09", "T-10", "T-19"
COMPLETE, REGISTER_MATCHES, NOBODY_ALTERS = "T-29", "T-35", "T-46"
DUTIES = {"campaign": "T-20", "drill": "T-34", "restore": "T-44"}


@dataclass(frozen=True)
class Said:
    """What a finding says. ``title`` goes into the log in clear and names no person; ``details`` may.

    ``test``: the control test in whose population such a thing shows, so that the finding is tested again by running it; none where no test decides it.
    ``once``: while such a finding about the same thing is open, no other is raised. ``part`` tells two findings of one
    entry apart.
    """

    kind: str
    title: str
    about: str
    details: str = ""
    once: bool = False
    part: str = ""
    quiet_for: timedelta = timedelta(minutes=10)
    test: str = ""

    def source_event(self, entry: LoggedEvent) -> UUID:
        """What the finding is unique on: the entry's id, or one that follows from it and the part."""
        return uuid5(entry.id, self.part) if self.part else entry.id


Cause = Callable[[LoggedEvent, System | None], Said | None]


def orphan_session(entry: LoggedEvent, system: System | None) -> Said:
    """A session on the target that no grant explains."""
    why = {
        "no_grant": "Its login looks like a grant's, and there is no such grant.",
        "grant_over": "The grant of its login was over already.",
        "not_held": "Its login is a sealed account, and nobody held it then.",
        "undeclared_login": "Its login is able to act as a privilege, and it is neither a grant's nor declared.",
    }.get(entry.fields["why"], f"Reason: {entry.fields['why']}.")
    login, remote = one_line(entry.says("login"), 200), one_line(entry.says("remote"), 200)
    details = f"Login {login or 'unknown'}, since {_time(entry.fields['started_at'])}, from {remote or 'an unknown place'}. {why}"
    return Said(
        "orphan session", f"A session on {_name(system)} that no grant explains", entry.fields["session_id"], details, test=OUTSIDE_A_WINDOW
    )  # fmt: skip


def gap(entry: LoggedEvent, system: System | None) -> Said:
    """A window of a source with a gap; judged again, it stays the same finding while that is open."""
    window = f"From {_time(entry.fields['from_at'])} to {_time(entry.fields['to_at'])}."
    missing = SEVERAL.join(entry.fields.get("ranges", [])[:20])
    reasons = SEVERAL.join(entry.fields.get("reasons", [])[:10])
    details = " ".join(
        part for part in (window, reasons and f"Reasons: {reasons}.", missing and f"Missing: {missing}.") if part
    )
    title = f"Records of {_name(system)} are missing"
    return Said("gap", title, entry.fields["window_id"], details, once=True, test=COMPLETE)


def loss(entry: LoggedEvent, system: System | None) -> Said:
    """Records that were lost, by the source's own counting."""
    lost = {
        "numbers_missing": "Numbers are missing within a session",
        "file_vanished": "A log file is gone before it was read",
        "file_cut": "A log file became shorter",
        "line_unreadable": "A line cannot be read",
        "session_cut": "A session has no end",
    }.get(entry.fields["kind"], entry.fields["kind"])
    details = f"{lost}, {_time(entry.fields['from_at'])} to {_time(entry.fields['to_at'])}. {entry.fields.get('says', '')}".strip()
    about = entry.fields.get("session_id") or entry.fields["source_id"]
    return Said("loss", f"{_name(system)} lost records", about, details, test=COMPLETE)


def weaker_logging(entry: LoggedEvent, system: System | None) -> Said | None:
    """A logging setting of the target that lets less be seen."""
    if not entry.fields["weakens"]:
        return None
    setting = one_line(entry.fields["setting"], 80)
    value = one_line(entry.fields.get("value", ""), 200)
    details = f"Changed at {_time(entry.fields['happened_at'])}" + (f", to {value}." if value else ".")
    title = f"{_name(system)} logs less: {setting}"
    return Said("weaker logging", title, entry.fields["source_id"], details, test=COMPLETE)


def drift(entry: LoggedEvent, system: System | None) -> Said | None:
    """What else changed on the target while a grant was open. Reported, never cleaned, never an authorisation."""
    if not entry.fields["drift"]:
        return None
    details = one_line(entry.says("drift_details") or SEVERAL.join(entry.fields["drift"]), 2000)
    title = f"{_name(system)} is not as it was before a use"
    return Said("drift", title, entry.fields["grant_id"], details, once=True, part="drift", test=NO_OTHER_RIGHT)


def not_clear(entry: LoggedEvent, system: System | None) -> Said | None:
    """A grant that was closed some times and still shows on the target."""
    if entry.fields["clear"] or entry.fields["attempt"] < TRIES_BEFORE_ALARM:
        return None
    left = one_line(entry.says("remainder_details") or SEVERAL.join(entry.fields["remainders"]), 2000)
    details = f"Closed {entry.fields['attempt']} times. Still on the target: {left or 'not said'}."
    return Said(
        "not ended",
        f"An access to {_name(system)} could not be ended yet",
        entry.fields["grant_id"],
        details,
        once=True,
        test=ENDED_ON_TIME,
    )


def not_closed(entry: LoggedEvent, system: System | None) -> Said | None:
    """A grant that could not even be closed, or not be read: it may be live, and stays the same finding once it is read."""
    if entry.fields["attempt"] < TRIES_BEFORE_ALARM:
        return None
    details = f"Tried {entry.fields['attempt']} times. The last time: {one_line(entry.fields['sentence'], 2000)}"
    title = f"An access to {_name(system)} could not be ended yet"
    return Said("not ended", title, entry.fields["grant_id"], details, once=True, test=ENDED_ON_TIME)


def missed_duty(entry: LoggedEvent, system: System | None) -> Said:
    """Something owed on a schedule was not done."""
    details = f"It was due at {_time(entry.fields['due_at'])}."
    title = f"{_name(system)}: {one_line(entry.fields['kind'], 80)} was not done by its time"
    return Said(
        "missed duty", title, entry.fields["duty_id"], details, once=True, test=DUTIES.get(entry.fields["kind"], "")
    )


def table_and_log(entry: LoggedEvent, _system: System | None) -> Said | None:
    """The portal's tables say otherwise than the log."""
    if entry.fields["ok"]:
        return None
    details = SEVERAL.join(entry.fields["differences"][:20])
    return Said("table and log", "The portal's tables and the log differ", "reconciliation", details, once=True)


def register_differs(entry: LoggedEvent, system: System | None) -> Said | None:
    """A sealed account that only the register, or only the target, knows."""
    if entry.fields["in_register"] and entry.fields["in_target"]:
        return None
    login = one_line(entry.says("login"), 200) or "unknown"
    where = (
        "in the register and not on the target" if entry.fields["in_register"] else "on the target and in no register"
    )
    about = (
        entry.fields.get("account_id")
        or salted_hmac("portal.findings.sealed", f"{entry.fields['system_id']} {login}").hexdigest()
    )
    title = f"{_name(system)}: an account is {where}"
    return Said("sealed account", title, about, f"Account {login}.", once=True, test=REGISTER_MATCHES)


def secret_not_taken(entry: LoggedEvent, system: System | None) -> Said | None:
    """The target did not take the new secret of a sealed account."""
    if entry.fields["ok"]:
        return None
    details = f"Tried at {_time(entry.fields['tested_at'])}. Until it works, nobody gets in with this account."
    return Said(
        "sealed account", f"{_name(system)}: a new secret does not work", entry.fields["account_id"], details, once=True, test=ROTATED
    )  # fmt: skip


def cards_failed(entry: LoggedEvent, system: System | None) -> Said | None:
    """A drill of the offline cards did not give the code that it should."""
    if entry.fields["ok"]:
        return None
    title = f"{_name(system)}: the offline cards did not pass their drill"
    return Said(
        "sealed account",
        title,
        entry.fields["account_id"],
        f"Set {entry.fields['number']}. Drill again, or make new cards.",
        once=True,
    )


def log_damaged(entry: LoggedEvent, _system: System | None) -> Said:
    """The log's check of itself found damage."""
    details = "\n".join(one_line(each, 300) for each in entry.fields["damages"])
    return Said("log damage", "A check of the log found damage", "log", details, once=True)


def log_set_back(entry: LoggedEvent, _system: System | None) -> Said:
    """The database was set back, and what is published came back."""
    details = (
        f"Entries {entry.fields['first']} to {entry.fields['last']} came back without their personal values. "
        "A newer backup may hold those: manage.py restore_values. "
        "What was acknowledged and not published is lost: report it, and let a second administrator sign it."
    )
    return Said("log loss", "The database had lost entries of the log", "log loss", details, once=True)


def log_lost(entry: LoggedEvent, _system: System | None) -> Said:
    """Two administrators signed that a range is lost."""
    window = f"From {_time(entry.fields['from_at'])} to {_time(entry.fields['to_at'])}."
    known = (
        f" {len(entry.fields['acknowledged'])} ids are known that no entry mentions."
        if entry.fields["acknowledged"]
        else ""
    )
    details = f"{window}{known} The targets' own logs still have what was done there: hold them against what is there."
    return Said("log loss", "A range of the log is lost", entry.fields["lost_id"], details)


def no_backup(entry: LoggedEvent, _system: System | None) -> Said:
    """An outage of backups began; the log says so once for each."""
    last = entry.fields.get("last_at")
    kept = entry.fields.get("kept", "")
    since = f"The last one was made at {_time(last)}." if last else "None was ever made."
    details = " ".join(part for part in (entry.fields["sentence"], since, kept, entry.fields["to_do"]) if part)
    return Said("backup", "No backup is made", str(entry.id), details)


def no_rehearsal(entry: LoggedEvent, _system: System | None) -> Said:
    """A backup could not be restored for trial, or nobody tried in time."""
    details = " ".join(
        part for part in (entry.fields["sentence"], entry.fields.get("kept", ""), entry.fields["to_do"]) if part
    )
    title = "A backup could not be restored" if entry.name.endswith("failed") else "No restore was rehearsed in time"
    return Said("rehearsal", title, "rehearsal", details, once=True, test=DUTIES["restore"])


def too_late(entry: LoggedEvent, system: System | None) -> Said:
    """The last backup, or the last rehearsal, is too old."""
    return no_backup(entry, system) if entry.fields["what"] == "backup" else no_rehearsal(entry, system)


def log_late(entry: LoggedEvent, _system: System | None) -> Said | None:
    """Something that keeps the log stopped. Of sealing an alert goes out at once: its entry itself is sealed only when it is over."""
    what = one_line(entry.fields["what"], 80)
    if what == "sealing":
        return None
    details = f"Since {_time(entry.fields['since'])}. {entry.fields['sentence']} {entry.fields['to_do']}"
    return Said("log late", f"What keeps the log is late: {what}", str(entry.id), details, quiet_for=timedelta(0))


def log_open_to_change(entry: LoggedEvent, _system: System | None) -> Said | None:
    """A look at who could alter the stored log found somebody, or a guard that is off."""
    store, found = entry.fields["store"], amiss(entry.fields)
    if not found:
        return None
    what = "database" if store == "database" else "published files"
    details = f"Found: {'; '.join(one_line(each, 300) for each in found)}. Take that away; it is looked at again within twelve hours."
    return Said(
        "log rights", f"The stored log could be altered: its {what}", f"guards:{store}", details, once=True, quiet_for=timedelta(0), test=NOBODY_ALTERS
    )  # fmt: skip


def left_on_target(entry: LoggedEvent, system: System | None) -> Said | None:
    """An account out of use that the portal cannot shut: only its custodian changes it on the target."""
    if not entry.fields.get("left_on_target"):
        return None
    title = f"A sealed account of {_name(system)} is out of use: its custodian shuts it on the target"
    details = "The portal does not change it there, so its last secret works until somebody does. Close this once the target refuses it."
    return Said("standing_access", title, entry.fields["account_id"], details, once=True)


def unreadable(entry: LoggedEvent, _system: System | None) -> Said:
    """An entry that one of the functions above could not make sense of."""
    title = f"Entry {entry.index} of the log needs a look: {entry.name}"
    return Said("unreadable entry", title, str(entry.id), "The portal could not make a finding of it by itself.")


CAUSES: Mapping[str, tuple[Cause, ...]] = {
    "session.unmatched": (orphan_session,),
    "completeness.gap_found": (gap,),
    "source.loss_found": (loss,),
    "source.settings_changed": (weaker_logging,),
    "grant.read_back": (drift, not_clear),
    "grant.close_failed": (not_closed,),
    "sealed.account_listed": (register_differs,),
    "sealed.tested": (secret_not_taken,),
    "offline.drilled": (cards_failed,),
    "sealed.retired": (left_on_target,),
    "duty.missed": (missed_duty,),
    "log.damage_found": (log_damaged,),
    "log.late": (log_late,),
    "log.guards_checked": (log_open_to_change,),
    "log.recovered": (log_set_back,),
    "log.range_lost": (log_lost,),
    "reconciliation.compared": (table_and_log,),
    "backup.failed": (no_backup,),
    "backup.late": (too_late,),
    "backup.rehearsal_failed": (no_rehearsal,),
}


def _name(system: System | None) -> str:
    return one_line(system.name, 80) if system else "A system"


def _time(milliseconds: int) -> str:
    return f"{moment(milliseconds):%-d %b %Y, %H:%M:%S} UTC"
