"""A responder with the right to make roles leaves another way in."""

from portal.connectors.base import Target
from tests.targets.connectors.postgresql_target import PostgresTarget, closing_of


def test_login_able_to_act_as_the_privilege_is_not_called_ended(postgres: PostgresTarget) -> None:
    before = postgres.connector.prepare(postgres.target)
    opening = postgres.opening("role_maker")
    closing = closing_of(opening, postgres.connector.open(postgres.target, opening))
    with postgres.login(opening.login) as session:
        session.execute("CREATE ROLE friend LOGIN PASSWORD 'secret'")
        session.execute("CREATE ROLE between NOLOGIN")
        session.execute("GRANT between TO friend")
        session.execute("GRANT billing_admin TO between")
    postgres.connector.close(postgres.target, closing)
    result = postgres.connector.read_back(postgres.target, closing, before=before)
    settings = {**postgres.target.settings, "declared_logins": ["friend"]}
    declared = Target("shop", "postgresql", settings, postgres.target.password)
    accepted = postgres.connector.read_back(declared, closing, before=before)
    listed = postgres.connector.list_access(postgres.target, ["billing_admin"])
    with postgres.superuser() as superuser:
        assert superuser.execute("SELECT count(*) FROM pg_roles WHERE rolname = 'friend'").fetchone() == (1,)
        superuser.execute("DROP ROLE friend, between")
    assert not result.clear
    assert [each.detail for each in result.remainders] == ["friend is newly able to act as billing_admin."]
    assert {"other login", "role changed", "membership changed"} <= {each.kind for each in result.drift}
    assert accepted.clear
    assert "friend" in [each.login for each in listed.logins]


def test_privilege_that_became_a_login_itself_is_not_called_ended(postgres: PostgresTarget) -> None:
    before = postgres.connector.prepare(postgres.target)
    opening = postgres.opening("role_maker")
    closing = closing_of(opening, postgres.connector.open(postgres.target, opening))
    with postgres.login(opening.login) as session:
        session.execute("ALTER ROLE billing_admin LOGIN PASSWORD 'mine'")
    postgres.connector.close(postgres.target, closing)
    result = postgres.connector.read_back(postgres.target, closing, before=before)
    able = postgres.connector.prepare(postgres.target)
    with postgres.superuser() as superuser:
        superuser.execute("ALTER ROLE billing_admin NOLOGIN PASSWORD NULL")
    again = postgres.connector.read_back(postgres.target, closing, before=before)
    assert (result.clear, again.clear) == (False, True)
    assert [each.detail for each in result.remainders] == ["billing_admin is newly able to log in by itself."]
    # What could log in before is nobody new.
    assert postgres.connector.read_back(postgres.target, closing, before=able).remainders == ()


def test_login_that_can_give_itself_the_privilege_is_not_called_ended(postgres: PostgresTarget) -> None:
    """On 15 whoever makes roles can; from 16 on it is a finding."""
    before = postgres.connector.prepare(postgres.target)
    opening = postgres.opening("role_maker")
    closing = closing_of(opening, postgres.connector.open(postgres.target, opening))
    with postgres.login(opening.login) as session:
        session.execute("CREATE ROLE friend LOGIN CREATEROLE")
    postgres.connector.close(postgres.target, closing)
    result = postgres.connector.read_back(postgres.target, closing, before=before)
    with postgres.superuser() as superuser:
        superuser.execute("DROP ROLE friend")
        wide = superuser.info.server_version < 160_000
    assert [each.detail for each in result.remainders] == (["friend is newly able to act as any role."] if wide else [])
    assert "Role friend: new." in [each.detail for each in result.drift]


def test_login_without_the_privilege_is_a_finding(postgres: PostgresTarget) -> None:
    before = postgres.connector.prepare(postgres.target)
    opening = postgres.opening("role_maker")
    closing = closing_of(opening, postgres.connector.open(postgres.target, opening))
    with postgres.login(opening.login) as session:
        session.execute("CREATE ROLE friend LOGIN")
    postgres.connector.close(postgres.target, closing)
    result = postgres.connector.read_back(postgres.target, closing, before=before)
    with postgres.superuser() as superuser:
        superuser.execute("DROP ROLE friend")
    assert result.clear
    assert "Role friend: new." in [each.detail for each in result.drift]


def test_privilege_given_on_is_told_and_not_torn_away(postgres: PostgresTarget) -> None:
    """Somebody gave the grant's login the privilege with the right to give it on: never the portal."""
    before = postgres.connector.prepare(postgres.target)
    opening = postgres.opening()
    closing = closing_of(opening, postgres.connector.open(postgres.target, opening))
    with postgres.superuser() as superuser:
        superuser.execute("CREATE ROLE friend LOGIN")
        superuser.execute(f"GRANT billing_admin TO {opening.login} WITH ADMIN OPTION")
        with postgres.login(opening.login) as session:
            session.execute("SET ROLE NONE")
            session.execute("GRANT billing_admin TO friend")
        closed = postgres.connector.close(postgres.target, closing)
        result = postgres.connector.read_back(postgres.target, closing, before=before)
        assert superuser.execute("SELECT pg_has_role('friend', 'billing_admin', 'MEMBER')").fetchone() == (True,)
        superuser.execute(f"REVOKE billing_admin FROM {opening.login} CASCADE")
        superuser.execute("DROP ROLE friend")
        assert postgres.connector.close(postgres.target, closing).removed
        after = postgres.connector.read_back(postgres.target, closing, before=before)
    assert not closed.removed
    assert not result.clear
    assert "membership given on" in [each.kind for each in result.remainders]
    assert "membership given on" in [each.kind for each in result.drift]
    assert after.clear


def test_own_login_given_on_is_told_and_useless(postgres: PostgresTarget) -> None:
    """Somebody made another login a member of the grant's login itself."""
    opening = postgres.opening()
    with postgres.superuser() as superuser:
        superuser.execute("CREATE ROLE friend LOGIN")
        before = postgres.connector.prepare(postgres.target)
        closing = closing_of(opening, postgres.connector.open(postgres.target, opening))
        superuser.execute(f"GRANT {opening.login} TO friend")
        closed = postgres.connector.close(postgres.target, closing)
        result = postgres.connector.read_back(postgres.target, closing, before=before)
        assert superuser.execute("SELECT pg_has_role('friend', 'billing_admin', 'MEMBER')").fetchone() == (False,)
        superuser.execute(f"REVOKE {opening.login} FROM friend")
        superuser.execute("DROP ROLE friend")
        assert postgres.connector.close(postgres.target, closing).removed
    assert [each.kind for each in closed.remainders] == ["membership given on"]
    assert result.clear
    assert sorted(each.kind for each in result.drift) == ["membership given on", "role kept"]
