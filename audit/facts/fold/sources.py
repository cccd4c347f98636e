"""What sources reported: sessions, activities, and what completeness says of each window."""

from audit.facts.fold.entry import LogEntry
from audit.facts.fold.state import Facts, given

ACTIVITY = (
    "session_id", "person_id", "system_id", "privilege_id", "class", "outcome", "zone_known", "received_at",
    "source_id", "source_number",
)  # fmt: skip


def session_started(facts: Facts, entry: LogEntry) -> None:
    """A connection began; its marker names the grant where the source did not."""
    session, marker = entry.fields["session_id"], entry.fields.get("marker")
    grant = entry.fields.get("grant_id") or facts.markers.get(marker or "")
    person = facts.get("grants", grant).get("person_id")
    facts.session_markers[session] = marker
    account = _sealed(facts, entry, grant) or _account(entry, person)
    facts.put(
        "sessions", session, grant_id=grant, person_id=person, account_id=account,
        **given(entry, "system_id", "started_at"),
    )  # fmt: skip


def session_ended(facts: Facts, entry: LogEntry) -> None:
    """A connection ended."""
    facts.put("sessions", entry.fields["session_id"], **given(entry, "system_id", "ended_at"))


def session_unmatched(facts: Facts, entry: LogEntry) -> None:
    """A connection that no grant explains."""
    session_started(facts, entry)
    facts.unmatched.add(entry.fields["session_id"])


def _account(entry: LogEntry, person: str | None) -> str | None:
    """The account of a session that belongs to nobody known: its login, as the commitment that the log holds."""
    return None if person is not None else entry.commitments.get("login")


def _sealed(facts: Facts, entry: LogEntry, grant: str | None) -> str | None:
    """The sealed account behind a session: of its grant, or the one that the marker names on this system."""
    of_grant: str | None = facts.get("grants", grant).get("account_id")
    return of_grant or facts.accounts_by_login.get(
        (entry.fields.get("system_id", ""), entry.fields.get("marker") or "")
    )


def recorded(facts: Facts, entry: LogEntry) -> None:
    """An action on the target. What was touched was chosen by who acted, so only its commitment is a fact."""
    session = facts.get("sessions", entry.fields["session_id"])
    grant = entry.fields.get("grant_id") or session.get("grant_id")
    holder = facts.get("grants", grant)
    facts.act_index.setdefault(entry.fields["activity_id"], entry.index or 0)
    columns = {"person_id": holder.get("person_id"), "privilege_id": None} | given(entry, *ACTIVITY)
    account = session.get("account_id") or holder.get("account_id")
    facts.put(
        "activities", entry.fields["activity_id"], grant_id=grant, account_id=account,
        account_shared=int(account in facts.rows["accounts"]), object=entry.commitments.get("object"), at=entry.fields["happened_at"],
        emergency=_emergency(facts, entry.fields["session_id"], grant), **columns,
    )  # fmt: skip


def _emergency(facts: Facts, session: str, grant: str | None) -> int:
    """1 unless the source says that the session is of an account which the portal neither opened nor guards."""
    if grant is not None or session in facts.unmatched:
        return 1
    return int(session not in facts.session_markers or facts.session_markers[session] is not None)


def outcome_learned(facts: Facts, entry: LogEntry) -> None:
    """The outcome of an action came later."""
    facts.change("activities", entry.fields["activity_id"], outcome=entry.fields["outcome"])


def judged(facts: Facts, entry: LogEntry) -> None:
    """Completeness judged a window; its latest verdict counts."""
    facts.put(
        "source_windows", entry.fields["window_id"],
        **given(entry, "source_id", "system_id", "from_at", "to_at", "verdict"),
    )  # fmt: skip
    if "grant_id" in entry.fields:
        facts.windows_of_grants.add(entry.fields["grant_id"])


HANDLERS = {
    "session.started": session_started,
    "session.ended": session_ended,
    "session.unmatched": session_unmatched,
    "activity.recorded": recorded,
    "activity.outcome_learned": outcome_learned,
    "completeness.judged": judged,
    "completeness.gap_found": judged,
}
