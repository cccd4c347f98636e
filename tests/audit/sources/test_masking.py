"""What may be kept of a statement's text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.sources.postgresql.masking import LONGEST, first_word, mask
from audit.sources.postgresql.tokens import Untokenizable, tokens

SECRET = "hunter2-and-more"
KEPT_NOT = [
    f"ALTER ROLE ada PASSWORD '{SECRET}'",
    f"CREATE USER ada WITH ENCRYPTED PASSWORD '{SECRET}' LOGIN",
    f"ALTER ROLE ada PASSWORD $${SECRET}$$",
    f"ALTER ROLE ada PASSWORD\n -- here\n '{SECRET}'",
    f"ALTER ROLE ada PASSWORD 'x'\n'{SECRET}'",
    f"ALTER ROLE ada PASSWORD E'{SECRET}'",
    f"CREATE USER MAPPING FOR ada SERVER s OPTIONS (user 'ada', password '{SECRET}')",
    f"ALTER SERVER s OPTIONS (SET passcode '{SECRET}')",
    f"CREATE SUBSCRIPTION s CONNECTION 'host=x {SECRET}' PUBLICATION p",
    f"COPY t FROM PROGRAM 'curl -u {SECRET} example.org'",
    f"SELECT * FROM dblink('host=x', '{SECRET}') AS t(a int)",
    f"SELECT pgp_sym_encrypt(name, '{SECRET}') FROM customer",
    f"SELECT crypt('{SECRET}', gen_salt('bf'))",
    f"SELECT * FROM login WHERE password = '{SECRET}'",
    f"UPDATE login SET api_key = '{SECRET}'",
    f"SELECT 'postgresql://ada:{SECRET}@db/shop'",
    f"DO $x$ BEGIN EXECUTE 'ALTER ROLE ada PASSWORD ''{SECRET}'''; END $x$",
    f"CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$ ALTER ROLE ada PASSWORD '{SECRET}' $$",
    f"SELECT 1 /* password: {SECRET} */",
    f"SELECT 'not closed {SECRET}",
    f"SELECT 'a\\' , '{SECRET}'",
    f"{SECRET}'",
    f"INSERT INTO users (name, password) VALUES ('bob', '{SECRET}')",
    f"SELECT f(password => '{SECRET}')",
    f"SELECT f(password := '{SECRET}')",
    f"SET app.password TO '{SECRET}'",
    "SET app.password TO hunter2",
    "SET LOCAL app.token = hunter2, b",
    "ALTER ROLE ada IN DATABASE shop SET app.secret TO hunter2",
    "DO $$ BEGIN SET app.secret = hunter2; END $$",
    f"UPDATE login SET password = 'a' || '{SECRET}'",
    f"UPDATE login SET password = coalesce('{SECRET}', name)",
    f"DELETE FROM login WHERE password <> '{SECRET}'",
    f"SELECT 1 FROM login WHERE '{SECRET}' = passwd",
    f"SELECT 1 FROM login WHERE credential LIKE E'{SECRET}%'",
    f"SELECT 1 FROM login WHERE private_key = U&'{SECRET}'",
    f"SELECT 1 FROM login WHERE secret = $a${SECRET}$a$",
    f"SELECT 1 FROM login WHERE \"apiKey\" IN ('a', '{SECRET}')",
    f"INSERT INTO settings (name, value) VALUES ('smtp_password', '{SECRET}')",
    f"INSERT INTO login (token) SELECT v FROM (VALUES ('{SECRET}')) AS t(v)",
    f"INSERT INTO login (passphrase) VALUES (\n -- {SECRET}\n 'x')",
    'SELECT 1 FROM login WHERE password = "hunter2"',
    "SELECT 1 FROM login WHERE pin = 'hunter2'",
    f"PREPARE p AS UPDATE login SET password = $1; EXECUTE p('{SECRET}')",
    f"CREATE FUNCTION f(password text DEFAULT $${SECRET}$$) RETURNS text LANGUAGE sql AS $$ SELECT 'x' $$",
    f"DO $$ DECLARE v_token text; BEGIN v := '{SECRET}'; END $$",
    f"DO $$ DECLARE v_token text; BEGIN v := $q${SECRET}$q$; END $$",
]


@pytest.mark.parametrize("statement", KEPT_NOT)
def test_secret_is_masked(statement: str) -> None:
    assert "hunter2" not in mask(statement)
    assert "hunter2" not in mask(statement, literals="hide")


@pytest.mark.parametrize(
    ("statement", "kept"),
    [
        ("SELECT * FROM customer WHERE name = 'Ada'", "SELECT * FROM customer WHERE name = 'Ada'"),
        (
            "ALTER ROLE ada PASSWORD 'x' VALID UNTIL '2030-01-01'",
            "ALTER ROLE ada PASSWORD '***' VALID UNTIL '***'",
        ),
        (
            'UPDATE login SET token = \'x\', tries = tries + 1.5 WHERE "t"."id" = "u"."id" AND id = 7',
            'UPDATE login SET token = \'***\', tries = tries + ? WHERE "t"."id" = "u"."id" AND id = ?',
        ),
        (
            "CREATE FUNCTION new_token() RETURNS text LANGUAGE sql AS $f$ SELECT name FROM pool WHERE id = 7 $f$",
            "CREATE FUNCTION new_token() RETURNS text LANGUAGE sql AS $f$ SELECT name FROM pool WHERE id = ? $f$",
        ),
        ("SELECT * FROM spinning WHERE id = 7", "SELECT * FROM spinning WHERE id = 7"),
        ("SET search_path TO billing", "SET search_path TO billing"),
        ("ALTER ROLE ada PASSWORD NULL", "ALTER ROLE ada PASSWORD NULL"),
        ("COPY t TO '/tmp/x'", "COPY t TO '/tmp/x'"),
        ("SELECT 'it''s'", "SELECT 'it''s'"),
        ("CREATE TABLE login (password text, name text)", "CREATE TABLE login (password text, name text)"),
        ("DO $$ BEGIN DELETE FROM t; END $$", "DO $$ BEGIN DELETE FROM t; END $$"),
        ("SELECT 'open", "SELECT [not shown: the statement could not be read]"),
        ("hunter2", "hunter2"),
    ],
)
def test_rest_is_kept_as_it_was(statement: str, kept: str) -> None:
    assert mask(statement) == kept


def test_literals_are_hidden_where_the_source_asks_for_it() -> None:
    assert (
        mask("SELECT 12, 'Ada', $$x$$ FROM t2 WHERE a=$1-- why", literals="hide")
        == "SELECT ?, '?', '?' FROM t2 WHERE a=$1 "
    )


@pytest.mark.parametrize(("text", "kept"), [("selec 1", ""), ("hunter2", ""), ("  drop tabel x", "DROP "), ("", "")])
def test_unreadable_statement_keeps_its_command_only(text: str, kept: str) -> None:
    assert first_word(text) == f"{kept}[not shown: the statement could not be read]"


def test_long_text_is_cut_with_the_count() -> None:
    shown = mask("SELECT '" + "x" * LONGEST + "'")
    assert shown == "SELECT '" + "x" * (LONGEST - 8) + " [9 more characters]"


def test_values_are_hidden_where_the_prepared_text_speaks_of_a_secret() -> None:
    prepared = "PREPARE p AS UPDATE login SET password = $1 WHERE id = $2"
    assert mask("EXECUTE p('hunter2', 7)", about=prepared) == "EXECUTE p('***', ?)"
    assert mask("EXECUTE p('hunter2', 7)") == "EXECUTE p('hunter2', 7)"


SQL = st.lists(
    st.one_of(
        st.text(alphabet="ab1$'\"\\ ;()-/*eEuU&n\n=.,:", max_size=4),
        st.sampled_from(
            ("password", " SET ", " TO ", "'x'", "$$", "$a$", "$$x$$", "E'y'", "U&'z'", "/* c */", "--d\n", "DO ", "CREATE ", " AS ",
             "crypt(", "OPTIONS (", '"q"', " = ", "1", ".5", "BEGIN ", ";", " PASSWORD ")
        ),
    ),
    max_size=12,
).map("".join)  # fmt: skip


@given(SQL, st.sampled_from(["keep", "hide"]))
def test_masked_text_masked_again_stays_as_it_is(text: str, literals: str) -> None:
    once = mask(text, literals=literals)
    assert mask(once, literals=literals) == once


SECRET_NAMES = ("password", "app.secret", "user_pin", "apiKey", "Private_Key", '"credentials"', "auth_token", "pwd")
QUOTES = ("'{}'", "E'{}'", "U&'{}'", "$${}$$", "$q${}$q$", "N'{}'")


@given(st.sampled_from(SECRET_NAMES), st.sampled_from(QUOTES), SQL, SQL, SQL, st.booleans())
def test_no_string_stays_beside_a_name_that_speaks_of_a_secret(
    name: str, quote: str, before: str, between: str, after: str, value_first: bool
) -> None:
    parts = [f" {name} ", f" {quote.format('hunter2')} "]
    text = f"UPDATE t {before}{parts[value_first]}{between}{parts[not value_first]}{after}"
    try:
        whole = [token.text for token in tokens(text)]
    except Untokenizable:
        whole = []
    if quote.format("hunter2") in whole and not {"DO", "CREATE"} & set(whole):  # else it is no string of this statement
        assert "hunter2" not in mask(text)


@given(st.text(), st.sampled_from(["keep", "hide"]))
def test_any_text_is_masked_without_an_error(text: str, literals: str) -> None:
    assert isinstance(mask(text, literals=literals), str)


@given(st.text(alphabet="abc$'\"\\ ;()-/*eE\n1.,:"))
def test_tokens_joined_give_the_text_again(text: str) -> None:
    try:
        found = tokens(text)
    except Untokenizable:
        return
    assert "".join(token.text for token in found) == text
