"""Sends each dossier to those whom the log names: responder, reviewer, owner. Follows the log; audit itself sends nothing."""

import logging
from uuid import UUID

from django.db import OperationalError, transaction

from audit.log.append import LogUnavailable, process
from audit.log.read import LoggedEvent, of_case, person_names
from portal.notifications.following import take_new
from portal.notifications.outbox import tell
from portal.people.models import Person

READER = "dossiers"
BATCH = 50
SENDER = process("dossiers")
alarms = logging.getLogger("breakglass.alarm")
OCCASIONS = {"ended": "after the end", "reviewed": "after the review"}


def run(batch: int = BATCH) -> int:
    """Queue the mails of all dossiers that are sealed and not yet taken in; returns how many dossiers."""
    return take_new(READER, ("dossier.made",), _take_in, batch)


def _take_in(entry: LoggedEvent) -> int:
    """One dossier, in a savepoint: an entry that we cannot read is told by an alarm and holds up no other mail."""
    try:
        with transaction.atomic():
            _queue(entry)
    except (LogUnavailable, OperationalError):  # as a whole, later again
        raise
    except Exception:  # noqa: BLE001 - whatever it is, it is told and the next is taken
        alarms.exception(
            "The dossier of case %s was made and mailed to nobody: entry %s of the log cannot be read. It is on the page of the case.",
            entry.case,
            entry.index,
        )
    return 1


def _queue(entry: LoggedEvent) -> None:
    made = next(iter(of_case(entry.case, ("request.made",), 1)), None)
    if made is None:  # a dossier is made of a request, so this cannot be; a mail could not say whose it is
        return
    responder = made.fields["responder_id"]
    recipients = [each for each in entry.fields["recipients"] if _is_id(each)]
    tell(
        by=SENDER, people=Person.objects.filter(pk__in=recipients), kind="dossier.ready", case=entry.case,
        about=entry.subject, path=f"/cases/{entry.case}/", grant_id=entry.fields.get("grant_id"),
        attachment=f"dossiers/{entry.fields['dossier_id']}.pdf",
        facts={
            "person": person_names([responder]).get(responder) or made.says("by_name") or "a person whose name was erased",
            "system": made.fields["system_name"], "privilege": made.fields["privilege_name"],
            "verdict": entry.fields["verdict"][:400], "occasion": OCCASIONS.get(entry.fields["occasion"], ""),
        },
    )  # fmt: skip


def _is_id(text: str) -> bool:
    try:
        return bool(UUID(text))
    except ValueError:
        return False
