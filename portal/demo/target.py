"""The demo's PostgreSQL target: a shop's business tables, privilege roles, and the portal's own login without superuser."""

import psycopg
from psycopg import sql

DATABASE = "shop"
PORTAL_LOGIN = "bg_portal"
PRIVILEGES = {"shop_support": "Read and correct orders", "shop_admin": "Everything in the shop's tables"}
DESCRIPTIONS = {
    "shop_support": "reads shop.customers, shop.orders and shop.payments, and corrects the last two",
    "shop_admin": "reads and changes every table of the schema shop",
}
TABLES_SAID = "Its tables: shop.customers, shop.orders, shop.payments."

TABLES = """
CREATE SCHEMA IF NOT EXISTS shop;
CREATE TABLE IF NOT EXISTS shop.customers (
  id integer PRIMARY KEY, name text NOT NULL, mail text NOT NULL, country text NOT NULL, since date NOT NULL);
CREATE TABLE IF NOT EXISTS shop.orders (
  id integer PRIMARY KEY, customer_id integer NOT NULL REFERENCES shop.customers, placed_at timestamptz NOT NULL,
  status text NOT NULL, total_cents integer NOT NULL);
CREATE TABLE IF NOT EXISTS shop.payments (
  id integer PRIMARY KEY, order_id integer NOT NULL REFERENCES shop.orders, state text NOT NULL, tries integer NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS shop.salaries (employee text PRIMARY KEY, monthly_cents integer NOT NULL);
"""
ROWS = """
INSERT INTO shop.customers SELECT n, 'Customer ' || n, 'customer' || n || '@shop.example', (ARRAY['DE','FR','PL','SE'])[1 + n % 4],
  date '2020-01-01' + n FROM generate_series(1, 400) n ON CONFLICT DO NOTHING;
INSERT INTO shop.orders SELECT n, 1 + n % 400, timestamptz '2026-01-01' + n * interval '37 minutes',
  (ARRAY['paid','sent','stuck'])[1 + (n % 17 = 0)::int + (n % 29 = 0)::int], 500 + (n * 7919) % 20000
  FROM generate_series(1, 4000) n ON CONFLICT DO NOTHING;
INSERT INTO shop.payments SELECT n, n, CASE WHEN n % 29 = 0 THEN 'stuck' ELSE 'done' END, n % 3
  FROM generate_series(1, 4000) n ON CONFLICT DO NOTHING;
INSERT INTO shop.salaries SELECT 'employee ' || n, 300000 + n * 1000 FROM generate_series(1, 20) n ON CONFLICT DO NOTHING;
"""
RIGHTS = (
    "GRANT USAGE ON SCHEMA shop TO shop_support, shop_admin",
    "GRANT SELECT ON shop.customers, shop.orders, shop.payments TO shop_support",
    "GRANT UPDATE ON shop.orders, shop.payments TO shop_support",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA shop TO shop_admin",
    "GRANT shop_support, shop_admin TO bg_portal WITH ADMIN TRUE, INHERIT FALSE, SET FALSE",
    "GRANT pg_signal_backend, pg_read_all_stats TO bg_portal",
    "GRANT SET ON PARAMETER log_statement TO bg_portal",
    "REVOKE ALL ON SCHEMA public FROM PUBLIC",
    f"ALTER DATABASE {DATABASE} SET search_path = shop",  # so that "orders" alone is found too
)


def prepare(superuser_url: str, password: str) -> None:
    """Make what is missing; run at each start. ``superuser_url`` leads to the target's ``shop`` database."""
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        connection.execute(TABLES)
        connection.execute(ROWS)
        for role in PRIVILEGES:
            _role(connection, role, "NOLOGIN")
        _role(connection, PORTAL_LOGIN, "LOGIN CREATEROLE")
        verifier = connection.pgconn.encrypt_password(
            password.encode(), PORTAL_LOGIN.encode(), b"scram-sha-256"
        ).decode()
        connection.execute(
            sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(PORTAL_LOGIN), sql.Literal(verifier))
        )
        _role(connection, "shop_app", "LOGIN")
        for statement in RIGHTS:
            connection.execute(sql.SQL(statement))


def _role(connection: psycopg.Connection, name: str, attributes: str) -> None:
    exists = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone()
    if not exists:
        connection.execute(sql.SQL(f"CREATE ROLE {{}} {attributes}").format(sql.Identifier(name)))
