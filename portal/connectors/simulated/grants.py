"""Open, extend, close and read back on a simulated target."""

from portal.connectors.base import (
    Closed,
    Closing,
    Opened,
    Opening,
    ReadBack,
    Remainder,
    Snapshot,
    Step,
    Target,
)
from portal.connectors.errors import ForeignMarker, Gone, TargetRefused
from portal.connectors.simulated import controls, log, logins, state

OPEN_STEPS = ("connected", "login made", "read back")
CLOSE_STEPS = ("connected", "login shut", "sessions ended", "login removed")


def prepare(target: Target) -> Snapshot:
    """Which logins there are that are no grant's."""
    controls.answering(target)
    with state.changing(target) as connection:
        rows = connection.execute("SELECT name, privilege FROM login WHERE comment = ''").fetchall()
    return Snapshot(state.now_ms(target), {"able login": {f"{row['privilege']} <- {row['name']}": "" for row in rows}})


def open_grant(target: Target, opening: Opening, *, step: Step) -> Opened:
    """Make the login, or make sure it is as it should be."""
    settings = controls.answering(target)
    step("connected")
    controls.check_open(settings)
    now = state.now_ms(target)
    with state.changing(target) as connection:
        found = logins.find(connection, opening.login)
        if found and found["comment"] != opening.comment:
            raise ForeignMarker(f"A login {opening.login} exists that is not this grant's; nothing was changed.")
        if found and not found["can_login"]:
            raise Gone(f"The closing of {opening.login} has begun; it is not opened again.")
        if opening.expires_at_ms <= now:
            raise TargetRefused("By the target's clock the end of this grant has passed; nothing was opened.")
        connection.execute(
            "INSERT INTO login (name, privilege, comment, verifier, can_login, expires_at_ms) VALUES (?, ?, ?, ?, 1, ?)"
            " ON CONFLICT (name) DO UPDATE SET verifier = excluded.verifier, expires_at_ms = excluded.expires_at_ms",
            [opening.login, opening.privilege, opening.comment, opening.verifier.reveal(), opening.expires_at_ms],
        )
    step("login made")
    with state.changing(target) as connection:
        row = logins.find(connection, opening.login)
    if row is None:
        raise Gone(f"The login {opening.login} was taken away while it was being opened.")
    step("read back")
    return Opened(
        login=opening.login,
        marker=opening.login,
        marker_ref=str(row["ref"]),
        provisioned_at_ms=now,
        host=str(target.settings.get("host") or "simulated"),
        port=int(target.settings.get("port") or 0),
        database=str(target.settings.get("dbname") or target.system_id),
        statement_logging=not settings.mute,
        superuser=opening.privilege in (target.settings.get("superusers") or ()),
        warnings=("Statements of this grant may not be logged.",) if settings.mute else (),
    )


def extend(target: Target, closing: Closing, *, expires_at_ms: int) -> None:
    """Move the end of a login that is there and can log in."""
    controls.answering(target)
    now = state.now_ms(target)
    with state.changing(target) as connection:
        row = logins.ours(connection, closing)
        if row is None or not row["can_login"] or row["expires_at_ms"] <= now:
            raise Gone(f"The login {closing.login} can no longer log in; nothing was extended.")
        connection.execute("UPDATE login SET expires_at_ms = ? WHERE ref = ?", [expires_at_ms, row["ref"]])


def close_grant(target: Target, closing: Closing, *, step: Step) -> Closed:
    """Shut the login, end its sessions, remove it."""
    settings = controls.answering(target)
    step("connected")
    now = state.now_ms(target)
    with state.changing(target) as connection:
        logins.end_due(target, connection, now)
        row = logins.ours(connection, closing)
        if row and not settings.lie_close:
            connection.execute(
                "UPDATE login SET can_login = 0, shut_at_ms = coalesce(shut_at_ms, ?) WHERE ref = ?", [now, row["ref"]]
            )
    step("login shut")
    if row is None or settings.lie_close:
        return Closed(closing.marker_ref or (str(row["ref"]) if row else ""), 0, True)
    with state.changing(target) as connection:
        ended = (
            0
            if logins.lagging(target, row | {"shut_at_ms": now}, now)
            else logins.end_sessions(target, connection, closing.login, now)
        )
        stubborn = logins.live_sessions(connection, closing.login)
    step("sessions ended")
    left = tuple(Remainder("live session", f"Session {log.name(each['number'])} did not end.") for each in stubborn)
    if not left and not settings.leftovers and not settings.lag_ms:
        with state.changing(target) as connection:
            connection.execute("DELETE FROM login WHERE ref = ? AND can_login = 0", [row["ref"]])
    step("login removed")
    return Closed(str(row["ref"]), ended, not left, left, not settings.mute)


def read_back(target: Target, closing: Closing, *, before: Snapshot | None) -> ReadBack:
    """What is left of a grant."""
    settings = controls.answering(target)
    now = state.now_ms(target)
    with state.changing(target) as connection:
        logins.end_due(target, connection, now)
        row = logins.ours(connection, closing)
        sessions = logins.live_sessions(connection, closing.login) if row else []
        open_now = row is not None and logins.can_log_in(target, connection, closing.login, now)
    left = [Remainder("live session", f"Session {log.name(each['number'])} is still there.") for each in sessions]
    if open_now:
        left.append(Remainder("login", f"{closing.login} can still log in."))
    known = before.sections.get("able login", {}) if before else {}
    declared = target.settings.get("declared_logins") or ()
    left += [
        Remainder("other login", f"{other} is newly able to act as {closing.privilege}.")
        for other in settings.other_logins
        if f"{closing.privilege} <- {other}" not in known and other not in declared
    ]
    if settings.lie_read_back:
        return ReadBack(now, True, (), (), 0)
    drift = [each for each in left if each.kind == "other login"] + list(settings.drift())
    return ReadBack(now, not left, tuple(left), tuple(drift), len(sessions))
