"""Each way round the guards of the log's tables, tried on the real database and undone, is named; the tables as they are made give no finding."""

from collections.abc import Iterator

import psycopg
import pytest
from django.db import connection
from psycopg import sql

from audit.log.guarded import FUNCTIONS, TABLES, TRIGGERS, Found, look
from audit.log.rights import LOG_RIGHTS
from tests.servers import superuser_url

pytestmark = pytest.mark.django_db
EMPTY = "CREATE OR REPLACE FUNCTION {}() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'"
DROP = "DROP TRIGGER only_grows ON audit_event;"
ANEW = "CREATE TRIGGER only_grows BEFORE {} ON audit_event FOR EACH ROW {} EXECUTE FUNCTION {}()"
OTHER = "the trigger only_grows of audit_event is another than the portal made"
LOOSER = "ALTER TABLE audit_event DROP CONSTRAINT event_body_size, ADD CONSTRAINT event_body_size CHECK ({}) NOT VALID"
OTHER_LIMIT = (
    "audit_event has no event_body_size",
    "audit_event has a limit event_body_size that the portal did not make",
)
# what is done -> what is said of it: who may change, who may write, which guard is off
WAYS: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    EMPTY.format("audit_refuse_but_cut"): ((), (), tuple(
        f"the function of the trigger only_grows of {each} is another than the portal made" for each in ("audit_event", "audit_sealed_entry")
    )),
    EMPTY.format("audit_refuse_other_name"): (
        (), (), ("the function of the trigger own_name of audit_event is another than the portal made",),
    ),
    "ALTER FUNCTION audit_refuse_but_cut() RESET ALL": ((), (), tuple(
        f"the function of the trigger only_grows of {each} is another than the portal made" for each in ("audit_event", "audit_sealed_entry")
    )),
    "ALTER FUNCTION audit_refuse_other_name() OWNER TO breakglass_reader": (
        (), (), ("the function of the trigger own_name of audit_event is another than the portal made",),
    ),
    DROP: ((), (), ("the trigger only_grows of audit_event is missing",)),
    DROP + ANEW.format("UPDATE OR DELETE", "WHEN (false)", "audit_refuse_but_cut"): ((), (), (OTHER,)),
    DROP + ANEW.format("DELETE", "", "audit_refuse_but_cut"): ((), (), (OTHER,)),
    DROP + ANEW.format("UPDATE OF name OR DELETE", "", "audit_refuse_but_cut"): ((), (), (OTHER,)),
    "CREATE SCHEMA other;" + EMPTY.format("other.audit_refuse_but_cut") + ";" + DROP
    + ANEW.format("UPDATE OR DELETE", "", "other.audit_refuse_but_cut") + "; SET LOCAL search_path = other, public": (
        (), (), ("the function of the trigger only_grows of audit_event is another than the portal made",),
    ),
    "ALTER TABLE audit_tile DISABLE TRIGGER only_grows": ((), (), ("the trigger only_grows of audit_tile is off",)),
    "ALTER TABLE audit_event ENABLE REPLICA TRIGGER only_grows": ((), (), ("the trigger only_grows of audit_event is off",)),
    "CREATE TRIGGER before_it BEFORE INSERT ON audit_queue FOR EACH ROW EXECUTE FUNCTION audit_refuse()": (
        (), (), ("audit_queue has a trigger before_it that the portal did not make",),
    ),
    "ALTER TABLE audit_event DROP CONSTRAINT event_body_size": ((), (), ("audit_event has no event_body_size",)),
    LOOSER.format("octet_length(body) <= 65536"): ((), (), OTHER_LIMIT),
    LOOSER.format("octet_length(body) <= 65535 OR by = 'x'"): ((), (), OTHER_LIMIT),
    "CREATE FUNCTION public.octet_length(bytea) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 0'; SET LOCAL search_path = public, pg_catalog;"
    + LOOSER.format("octet_length(body) <= 65535"): ((), (), (
        "audit_event has no event_body_size", "audit_personal_value has no personal_salt_size",
        "audit_event has a limit event_body_size that the portal did not make",
        "audit_personal_value has a limit personal_salt_size that the portal did not make",  # which then means the server's own by a longer name
    )),
    "ALTER TABLE audit_timestamp DROP CONSTRAINT timestamp_of_checkpoint_or_pack": (
        (), (), ("audit_timestamp has no timestamp_of_checkpoint_or_pack",),
    ),
    "ALTER TABLE audit_sealed_entry DROP CONSTRAINT audit_sealed_entry_event_id_key": (
        (), (), ("audit_sealed_entry has no UNIQUE (event_id)",),
    ),
    "ALTER TABLE audit_queue DROP CONSTRAINT audit_queue_event_id_key; CREATE UNIQUE INDEX ON audit_queue (event_id) WHERE seq < 0": (
        (), (), ("audit_queue has no UNIQUE (event_id)",),
    ),
    "ALTER TABLE audit_tile DROP CONSTRAINT audit_tile_pkey": ((), (), ("audit_tile has no PRIMARY KEY (level, index)",)),
    "ALTER TABLE audit_tile DROP CONSTRAINT audit_tile_pkey, ADD PRIMARY KEY (level, index, hashes)": (
        (), (), ("audit_tile has no PRIMARY KEY (level, index)", "audit_tile has a limit audit_tile_pkey that the portal did not make"),
    ),
    "ALTER TABLE audit_event ADD CONSTRAINT nobody CHECK (by <> 'x') NOT VALID": (
        (), (), ("audit_event has a limit nobody that the portal did not make",),
    ),
    "CREATE RULE nothing AS ON INSERT TO audit_queue DO INSTEAD NOTHING": (
        (), (), ("a rule or policy stands before the rows of audit_queue",),
    ),
    "ALTER TABLE audit_event ENABLE ROW LEVEL SECURITY": ((), (), ("a rule or policy stands before the rows of audit_event",)),
    "ALTER TABLE audit_queue SET UNLOGGED": ((), (), ("audit_queue is no ordinary table that outlives a crash",)),
    "SET LOCAL session_replication_role = replica": ((), (), ("for the server triggers are off (session_replication_role)",)),
    "ALTER ROLE breakglass_web SET session_replication_role = replica": (
        (), (), ("for breakglass_web triggers are off (session_replication_role)",),
    ),
    "GRANT SET ON PARAMETER session_replication_role TO breakglass_web": (
        (), (), ("breakglass_web may switch triggers off (session_replication_role)",),
    ),
    "GRANT UPDATE (body) ON audit_event TO breakglass_web": (("breakglass_web may change audit_event (UPDATE)",), (), ()),
    "GRANT INSERT (size) ON audit_checkpoint TO breakglass_web": ((), ("breakglass_web may write audit_checkpoint (INSERT)",), ()),
    "GRANT DELETE ON audit_personal_value TO breakglass_web": (("breakglass_web may change audit_personal_value (DELETE)",), (), ()),
    "GRANT UPDATE ON audit_tile TO breakglass_web": (("breakglass_web may change audit_tile (UPDATE)",), (), ()),
    "GRANT DELETE ON audit_queue TO breakglass_web": (("breakglass_web may change audit_queue (DELETE)",), (), ()),
    "GRANT TRIGGER ON audit_queue TO breakglass_sealer": (("breakglass_sealer may change audit_queue (TRIGGER)",), (), ()),
    "GRANT INSERT ON audit_event TO breakglass_web WITH GRANT OPTION": (
        (), ("breakglass_web may write audit_event (INSERT and pass on)",), (),
    ),
    "CREATE ROLE test_nobody NOLOGIN; GRANT UPDATE ON audit_event TO test_nobody": (
        ("test_nobody may change audit_event (UPDATE)",), (), (),
    ),
    "CREATE ROLE test_silent LOGIN NOINHERIT; GRANT breakglass_sealer TO test_silent": (
        (), ("test_silent may act as breakglass_sealer",), (),
    ),
    "ALTER TABLE audit_event OWNER TO breakglass_rehearser": (
        ("breakglass_rehearser owns audit_event",), (),
        tuple(f"the function of the trigger {each} of audit_event is another than the portal made" for each in ("only_grows", "own_name")),
    ),
}  # fmt: skip


@pytest.fixture
def superuser() -> Iterator[psycopg.Connection]:
    """A login whose one transaction is undone."""
    with psycopg.connect(superuser_url(str(connection.settings_dict["NAME"]))) as login:
        login.execute("SET LOCAL lock_timeout = '20s'")
        yield login
        login.rollback()


def looked(login: psycopg.Connection) -> Found:
    with login.cursor() as cursor:
        return look(cursor)


def test_what_the_migrations_make_gives_no_finding(superuser: psycopg.Connection) -> None:
    assert looked(superuser) == Found((), (), ())
    assert set(TABLES) <= LOG_RIGHTS.keys()
    assert {function for *_, function in TRIGGERS.values()} == FUNCTIONS.keys()


@pytest.mark.parametrize("way", WAYS, ids=[each[:70] for each in WAYS])
def test_a_way_round_is_named(way: str, superuser: psycopg.Connection) -> None:
    superuser.execute(sql.SQL(way))
    assert looked(superuser) == Found(*WAYS[way])


def test_a_limit_that_older_rows_were_held_against_is_the_same(superuser: psycopg.Connection) -> None:
    """Migrations add it without a look at what lies there; an operator may look at any time."""
    superuser.execute("ALTER TABLE audit_event VALIDATE CONSTRAINT event_body_size")
    assert looked(superuser) == Found((), (), ())


def test_what_is_granted_to_everybody_is_named_for_each_login(superuser: psycopg.Connection) -> None:
    superuser.execute("GRANT TRUNCATE ON audit_event TO PUBLIC")
    found = looked(superuser)
    assert "everybody may change audit_event (TRUNCATE)" in found.altering
    assert "breakglass_web may change audit_event (TRUNCATE)" in found.altering
    assert (found.writing, found.off) == ((), ())
