"""How the log is published, witnessed and checked, as rows of the status page. What the sealer says of itself comes with its heartbeat."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from audit.log.guards import CHECKED, STORES, amiss
from audit.log.read import last_of_subjects, last_one_named, signed_after
from portal.clock import moment
from portal.health.parts import PARTS
from portal.health.rows import AMISS, DOWN, HEALTHY, LATE, UNKNOWN, Row, Sign, row

STAMP_LATE = timedelta(hours=2)
SAID_LATE = timedelta(seconds=12)  # the sealer says every two seconds that it lives
BEHIND_LATE = timedelta(seconds=15)  # what is published or cosigned, behind what is sealed
CHECK_LATE = timedelta(hours=26)  # once a day, and the time that it takes
LOOK_LATE = timedelta(hours=24)  # twice a day; a day is what T-46 asks
WHERE = {"database": "Database", "tiles": "Published files"}


def published_row(sealer: Sign | None, at: datetime) -> Row | None:
    """How much of the log others can read; nothing where it is not published."""
    if not settings.PORTAL_LOG_STORE:
        return None
    about, detail = PARTS["published"], sealer.detail if sealer else {}
    size, trouble = detail.get("published"), str(detail.get("unpublished") or "")
    if sealer is None or size is None:
        return row(about, UNKNOWN, None, "The sealer has said nothing of it.")
    if at - sealer.at > SAID_LATE:
        return row(
            about, UNKNOWN, sealer.at, f"The sealer has said nothing since then, when {size} entries were published."
        )
    behind = None if trouble else _behind(int(str(size)), at)
    if behind:
        return row(about, LATE, behind, f"{size} entries are published; what was sealed since then is not.")
    return row(about, LATE if trouble else HEALTHY, None, trouble or f"{size} entries are published.")


def _behind(size: int, at: datetime) -> datetime | None:
    """Since when something beyond this size is sealed, where that is too long."""
    signed = signed_after(size)
    return moment(signed) if signed is not None and at - moment(signed) > BEHIND_LATE else None


def witnesses_row(sealer: Sign | None, at: datetime) -> Row | None:
    """How far the witnesses have cosigned; nothing where none is listed."""
    if not settings.PORTAL_LOG_WITNESSES.strip():
        return None
    about, detail = PARTS["witnesses"], sealer.detail if sealer else {}
    said = detail.get("witnesses")
    listed: list[Mapping[str, Any]] = said if isinstance(said, list) else []
    if sealer is None or not listed:
        return row(about, UNKNOWN, None, "The sealer has said nothing of them.")
    without = [each for each in listed if each["trouble"]]
    state = DOWN if any(each["required"] for each in without) else LATE if without else HEALTHY
    times = [each["at"] for each in listed if each["at"]]
    says = " ".join(_witness(each) for each in listed)
    if at - sealer.at > SAID_LATE:
        return row(about, UNKNOWN, sealer.at, f"The sealer has said nothing since then. It said: {says}")
    behind = None if without else _behind(min(each["size"] for each in listed), at)
    if behind:
        return row(about, LATE, behind, f"What was sealed since then is not cosigned by all. {says}")
    return row(about, state, moment(min(times) * 1000) if times else None, says)


def _witness(said: Mapping[str, Any]) -> str:
    if said["trouble"]:
        since = f"not witnessed since {said['size']} entries" if said["size"] else "never witnessed"
        return f"{said['name']}: {since}. {said['trouble']}"
    return f"{said['name']}: {said['size']} entries."


def timestamps_row(at: datetime) -> Row | None:
    """When the last timestamp was given; nothing where no authority is set."""
    if not settings.PORTAL_TIMESTAMP_URL:
        return None
    about, last = PARTS["timestamps"], last_one_named(["log.timestamped"])
    said = last_one_named(["log.timestamped", "log.timestamp_failed"])
    when = moment(last.fields["at"]) if last is not None else None
    if said is not None and said.name == "log.timestamp_failed":
        since = "Not timestamped since then." if when else "Never timestamped."
        return row(about, DOWN if said.fields.get("late") else LATE, when, f"{since} {said.fields['sentence']}")
    if last is None or when is None:
        return row(about, UNKNOWN, None, "The authority was not asked yet.")
    if at - when > STAMP_LATE:
        return row(about, LATE, when, "Not timestamped since then.")
    return row(about, HEALTHY, when, f"The last one covers {last.fields['size']} entries.")


def check_row(at: datetime) -> Row:
    """The last check of the log by itself."""
    about, event = PARTS["check"], last_one_named(["log.checked"])
    if event is None:
        return row(about, UNKNOWN, None, "It was never checked.")
    when = moment(event.at)
    if not event.fields["ok"]:
        return row(about, AMISS, when, "It found damage; the log and the findings name it.")
    if event.fields.get("unreachable"):
        words = "What is published could not be looked at; the store did not answer. It is checked again once it does, after an hour."
        return row(about, LATE, when, words)
    begins = event.fields.get("whole_from")
    took = f"{event.fields['size']} entries in {event.fields['took_ms'] / 1000:.1f} s."
    took += f" Whole from entry {begins}; what stood before was cut." if begins else ""
    if misdated := event.fields.get("misdated"):
        took += f" Entries that say a time later than when they were signed, cosigned or timestamped: {misdated}. verify_log names the first."
    return row(about, LATE if at - when > CHECK_LATE else HEALTHY, when, took)


def guards_row(at: datetime) -> Row:
    """The last look at each store for who could alter the log there."""
    about, looks = PARTS["guards"], last_of_subjects([f"guards:{each}" for each in STORES], CHECKED).values()
    if not looks:
        return row(about, UNKNOWN, None, "It was not looked up yet.")
    when = moment(min(each.at for each in looks))
    found = [
        f"{WHERE.get(each.fields['store'], 'Store')}: {'; '.join(amiss(each.fields))}."
        for each in looks
        if amiss(each.fields)
    ]
    if found:
        return row(about, AMISS, when, " ".join(sorted(found)))
    return row(about, LATE if at - when > LOOK_LATE else HEALTHY, when, "Nobody was found who could.")
