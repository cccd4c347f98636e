"""Opening and ending."""

from dataclasses import replace
from typing import Any

from audit.cases.fold.state import Folding, Handler, words
from audit.cases.opened import Extension, ReadBack, Trouble
from audit.log.read import LoggedEvent


def _authorised(to: Folding, event: LoggedEvent) -> None:
    to.on_grant(event, authorised_at=event.at)


def _opening(to: Folding, event: LoggedEvent) -> None:
    to.on_grant(event, attempts=event.fields["attempt"], login=event.fields["login"])


def _activated(to: Folding, event: LoggedEvent) -> None:
    given = event.fields
    to.on_grant(
        event, login=given["login"], opened_at=given["opened_at"], first_expires_at=given["expires_at"], expires_at=given["expires_at"],
        statement_logging=bool(given["statement_logging"]), unsealed=bool(given.get("unsealed", 0)), witnessed=bool(given.get("witnessed", 0)),
        warnings=words(event, "warnings"), account_id=given.get("account_id") or "",
    )  # fmt: skip


def _trouble(to: Folding, event: LoggedEvent) -> None:
    act = "close" if event.name == "grant.close_failed" else "open"
    to.troubles.append(Trouble(act, event.at, event.fields["attempt"], event.fields["sentence"]))


def _failed(to: Folding, event: LoggedEvent) -> None:
    given = event.fields
    to.on_grant(
        event, failed=given["sentence"], ended_at=given["ended_at"], over_by=given.get("ended_by", ""),
        over_reason=event.says("reason"),
    )  # fmt: skip


def _revealed(to: Folding, event: LoggedEvent) -> None:
    to.on_grant(event, revealed=(*(to.grant.revealed if to.grant else ()), event.at))


def _extension(to: Folding, event: LoggedEvent) -> None:
    given = event.fields
    known = to.extensions.get(given["extension_id"]) or Extension(given["extension_id"], given.get("minutes", 0))
    decided = {"decided_at": event.at, "decided_by": event.by}
    changes: dict[str, dict[str, Any]] = {
        "grant.extension_asked": {"asked_at": event.at, "reason": event.says("reason")},
        "grant.extended": {
            **decided,
            "given": True,
            "expires_at": given.get("expires_at"),
            "reason": event.says("reason") or known.reason,
            "asked_at": known.asked_at or event.at,
        },  # a bypass that its responder extended was not asked about
        "grant.extension_declined": decided,
        "grant.extension_applied": {"applied_at": event.at},
    }
    to.extensions[known.id] = replace(known, **changes[event.name])
    if event.name == "grant.extended":
        to.on_grant(event, expires_at=given["expires_at"])


def _over(to: Folding, event: LoggedEvent) -> None:
    """The time is over, or somebody ended it; the first end stands."""
    if to.grant is not None and to.grant.over:
        return
    given = event.fields
    to.on_grant(
        event, over=event.name.removeprefix("grant."), over_by=given.get("ended_by", ""), over_reason=event.says("reason"),
        ended_at=given["ended_at"], over_at=given["over_at"], closing=True,
    )  # fmt: skip


def _read_back(to: Folding, event: LoggedEvent) -> None:
    given = event.fields
    to.read_backs.append(
        ReadBack(
            given["read_at"], bool(given["clear"]), words(event, "remainders"), words(event, "drift"),
            event.says("remainder_details"), event.says("drift_details"), given["sessions_ended"],
        )
    )  # fmt: skip


def _secret(to: Folding, event: LoggedEvent) -> None:
    """What became of the secret of a sealed account that was shown in this use."""
    given = event.fields
    if to.grant is None or given.get("grant_id") != to.grant.id:
        return
    changes: dict[str, dict[str, Any]] = {
        "sealed.rotation_owed": {"replace_owed_at": event.at, "replace_due_at": given.get("due_at")},
        "sealed.rotated": {"replaced_at": given.get("rotated_at")},
        "sealed.tested": {"replacement_tried_at": given.get("tested_at")} if given.get("ok") else {"replaced_at": None},
    }
    to.on_grant(event, **changes[event.name])


def _ended(to: Folding, event: LoggedEvent) -> None:
    given = event.fields
    to.on_grant(
        event, ended_at=given["ended_at"], over_at=given["over_at"], removed_at=given["removed_at"], confirmed_at=given["confirmed_at"],
        closing=False,
    )  # fmt: skip


REPLACED = ("sealed.rotated", "sealed.tested")
"""What is told of the account, and not always in the case."""
HANDLERS: dict[str, Handler] = {
    "grant.authorised": _authorised,
    "grant.opening": _opening,
    "grant.activated": _activated,
    "grant.opening_failed": _trouble,
    "grant.close_failed": _trouble,
    "grant.failed": _failed,
    "grant.revealed": _revealed,
    **dict.fromkeys(
        ("grant.extension_asked", "grant.extended", "grant.extension_declined", "grant.extension_applied"), _extension
    ),
    **dict.fromkeys(("grant.returned", "grant.expired", "grant.revoked"), _over),
    **dict.fromkeys(("sealed.rotation_owed", *REPLACED), _secret),
    "grant.read_back": _read_back,
    "grant.ended": _ended,
}
