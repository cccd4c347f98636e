"""Grants, from authorisation to the read-back."""

from audit.facts.fold.entry import LogEntry, is_person
from audit.facts.fold.state import Facts, given

GRANT = ("person_id", "system_id", "privilege_id", "account_id", "exposes_secret")


def authorised(facts: Facts, entry: LogEntry) -> None:
    """Access may be opened."""
    facts.put("grants", entry.fields["grant_id"], request_id=entry.case or None, **given(entry, *GRANT))


def activated(facts: Facts, entry: LogEntry) -> None:
    """Access is open; the window runs from here."""
    grant, expires_at = entry.fields["grant_id"], entry.fields["expires_at"]
    facts.put(
        "grants", grant, request_id=entry.case or None, first_expires_at=expires_at, expires_at=expires_at,
        **given(entry, *GRANT, "opened_at", "provisioned_at"),
    )  # fmt: skip
    if "account_id" in entry.fields:  # held for it since it was authorised, in the holder's hands from here on
        facts.put(
            "checkouts", grant, from_at=entry.fields["opened_at"], **given(entry, "account_id", "person_id", "grant_id")
        )
    else:
        facts.markers[entry.fields["marker"]] = grant
    facts.change("requests", entry.case, status="open")


def failed(facts: Facts, entry: LogEntry) -> None:
    """Access was not opened."""
    facts.change("grants", entry.fields["grant_id"], ended_at=entry.fields["ended_at"], end_cause="failed")
    facts.change("requests", entry.case, status="failed")
    if is_person(entry.fields.get("ended_by", "process:")):
        facts.involved[entry.case].add(entry.fields["ended_by"])


def revealed(facts: Facts, entry: LogEntry) -> None:
    """The responder was shown the way in: the act by which an approved request is taken up. The secret of a sealed account is an activity too."""
    facts.act(entry, "reveal", entry.case)
    if entry.fields.get("exposes_secret"):
        _exposed(facts, entry)


def _exposed(facts: Facts, entry: LogEntry) -> None:
    """Seen by the portal itself, in whose log it stands: there is no other source that could."""
    grant, account = entry.fields["grant_id"], entry.fields["account_id"]
    facts.change("grants", grant, exposes_secret=1, account_id=account)
    held = facts.get("grants", grant)
    facts.put(
        "activities", str(entry.id), grant_id=grant, person_id=entry.fields["person_id"], account_id=account, account_shared=1,
        system_id=held.get("system_id"), privilege_id=held.get("privilege_id"), object=account, outcome="ok", zone_known=1,
        source_id="portal", at=entry.at, received_at=entry.at, emergency=1, **{"class": "session"},
    )  # fmt: skip


def extended(facts: Facts, entry: LogEntry) -> None:
    """More time was given, by one entitled other person; or taken by the responder of a bypass, which is an act of opening."""
    grant = entry.fields["grant_id"]
    facts.put(
        "extensions",
        entry.fields["extension_id"],
        grant_id=grant,
        at=entry.at,
        **given(entry, "minutes", "approved_by"),
    )
    facts.change("grants", grant, expires_at=entry.fields["expires_at"])
    facts.involved[entry.case].add(entry.fields["approved_by"])
    facts.act(entry, "open" if entry.fields["approved_by"] == entry.fields["asked_by"] else "approve", entry.case)


def over(facts: Facts, entry: LogEntry) -> None:
    """The time is over, or somebody ended it, or the portal gave up opening; the first end stands."""
    grant = entry.fields["grant_id"]
    if facts.get("grants", grant).get("ended_at") is None:
        gave_up = entry.fields.get("cause") == "failed"
        cause = "failed" if gave_up else entry.name.removeprefix("grant.")
        facts.change("grants", grant, ended_at=entry.fields["ended_at"], end_cause=cause)
        if gave_up:
            facts.change("requests", entry.case, status="failed")
    if is_person(entry.fields.get("ended_by", "process:")):
        facts.involved[entry.case].add(entry.fields["ended_by"])


def read_back(facts: Facts, entry: LogEntry) -> None:
    """The target was read. What is clear confirms the removal, once the log says that the grant is over."""
    over_already = facts.get("grants", entry.fields["grant_id"]).get("ended_at") is not None
    if entry.fields["clear"] and over_already:
        _cleared(facts, entry, entry.fields["read_at"])


def ended(facts: Facts, entry: LogEntry) -> None:
    """Access is gone, says the portal; a read-back of the target that came before it says more."""
    if not facts.read_backs[entry.fields["grant_id"]]:
        _cleared(facts, entry, entry.fields["confirmed_at"])
    if facts.get("grants", entry.fields["grant_id"]).get("end_cause") != "failed":  # what never opened stays failed
        facts.change("requests", entry.case, status="closed")


def _cleared(facts: Facts, entry: LogEntry, confirmed_at: int) -> None:
    row = {"confirmed_at": confirmed_at, **given(entry, "removed_at", "read_back_from")}
    facts.read_backs[entry.fields["grant_id"]].append(row)
    facts.change("grants", entry.fields["grant_id"])


HANDLERS = {
    "grant.authorised": authorised,
    "grant.activated": activated,
    "grant.failed": failed,
    "grant.revealed": revealed,
    "grant.extended": extended,
    "grant.returned": over,
    "grant.expired": over,
    "grant.revoked": over,
    "grant.read_back": read_back,
    "grant.ended": ended,
}
