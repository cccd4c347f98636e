"""A target kept in a file, for demonstrations and tests: it can be opened, listed, read back and made to misbehave.

Settings: `state_path` (an SQLite file, made at first use); optional `log_path`, `controls_path`, `now_ms`,
`answer_within_ms`, `declared_logins`, `superusers` (privileges that are one). Production refuses the kind.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Collection

from portal.connectors.base import (
    Check,
    Closed,
    Closing,
    ConnectorError,
    Heartbeat,
    Listing,
    LoginOnTarget,
    Opened,
    Opening,
    ReadBack,
    Running,
    Secret,
    Snapshot,
    Step,
    Target,
    no_step,
)
from portal.connectors.postgresql.secrets import make_password
from portal.connectors.simulated import controls, grants, log, logins, state


class Held:
    """A simulated target ends what is due by itself; only that one process holds the watchdog is real here."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def alive(self) -> bool:
        """Until it is stopped."""
        return self._descriptor >= 0

    def stop(self) -> None:
        """Let another process hold it."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class Simulated:
    """The connector of the kind."""

    kind = "simulated"
    reads_back = True
    lists_access = True
    open_steps: tuple[str, ...] = grants.OPEN_STEPS
    close_steps: tuple[str, ...] = grants.CLOSE_STEPS

    def make_secret(self) -> Secret:
        """A password."""
        return make_password()

    def verifier(self, target: Target, login: str, password: Secret) -> Secret:
        """A hash that the state may hold."""
        text = f"{target.system_id} {login} {password.reveal()}"
        return Secret(hashlib.sha256(text.encode()).hexdigest())

    def prepare(self, target: Target) -> Snapshot:
        """Logins that are no grant's."""
        return grants.prepare(target)

    def open(self, target: Target, opening: Opening, *, step: Step = no_step) -> Opened:
        """Make the login, or make sure it is as it should be."""
        return grants.open_grant(target, opening, step=step)

    def extend(self, target: Target, closing: Closing, *, expires_at_ms: int) -> None:
        """Move the end."""
        grants.extend(target, closing, expires_at_ms=expires_at_ms)

    def close(self, target: Target, closing: Closing, *, step: Step = no_step) -> Closed:
        """Shut, end the sessions, remove."""
        return grants.close_grant(target, closing, step=step)

    def read_back(self, target: Target, closing: Closing, *, before: Snapshot | None) -> ReadBack:
        """What is left."""
        return grants.read_back(target, closing, before=before)

    def list_access(self, target: Target, privileges: Collection[str]) -> Listing:
        """Every login able to act as one of the privileges."""
        settings, now = controls.answering(target), state.now_ms(target)
        query = "SELECT * FROM login ORDER BY privilege, name"
        with state.changing(target) as connection:
            rows = [dict(row) for row in connection.execute(query) if row["privilege"] in privileges]
            usable = {row["name"] for row in rows if logins.can_log_in(target, connection, row["name"], now)}
        found = [
            LoginOnTarget(
                row["name"], str(row["ref"]), row["privilege"], True, "member", row["comment"], row["expires_at_ms"]
            )
            for row in rows
            if row["name"] in usable
        ]
        found += [
            LoginOnTarget(name, "", each, True, "member")
            for each in sorted(privileges)
            for name in settings.other_logins
        ]
        text = json.dumps([each.__dict__ for each in found], sort_keys=True, separators=(",", ":"))
        return Listing(now, query, hashlib.sha256(text.encode()).hexdigest(), tuple(found))

    def running(self, target: Target, closing: Closing) -> tuple[Running, ...]:
        """Sessions of the grant now."""
        controls.answering(target)
        with state.changing(target) as connection:
            logins.end_due(target, connection, state.now_ms(target))
            rows = logins.live_sessions(connection, closing.login) if logins.ours(connection, closing) else []
        return tuple(
            Running(log.name(row["number"]), "idle", row["statement"], row["started_at_ms"], row["statement_at_ms"])
            for row in rows
        )

    def test(self, target: Target) -> tuple[Check, ...]:
        """Whether it answers."""
        try:
            controls.answering(target)
        except ConnectorError as error:
            return (Check("connection", False, error.sentence),)
        return (
            Check("connection", True, "The simulated target answers."),
            Check("simulated", None, "Nothing real is opened by it."),
        )

    def dry_run(self, target: Target, privilege: str, minutes: int) -> tuple[str, ...]:
        """What opening would do."""
        controls.answering(target)
        return (
            f"A login bg_<number> able to act as {privilege} would be made in a file, for {minutes} minute{'' if minutes == 1 else 's'}.",
        )

    def watchdog(self, target: Target) -> Held | None:
        """One process at a time."""
        place = state.path(target)
        descriptor = os.open(place.with_name(place.name + ".watchdog"), os.O_RDWR | os.O_CREAT, 0o640)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return None
        return Held(descriptor)

    def heartbeat(self, target: Target, nonce: str) -> Heartbeat:
        """Three lines of the portal's own login, the nonce in the second. It counts no sessions of its own."""
        settings, now = controls.answering(target), state.now_ms(target)
        if settings.drop_heartbeats:
            return Heartbeat()
        with state.changing(target) as connection:
            number = log.connect(target, connection, "portal", now)
            log.write(target, connection, number, "heartbeat", now, statement=nonce)
            log.disconnect(target, connection, number, now)
        return Heartbeat()
