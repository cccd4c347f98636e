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
]


@pytest.mark.parametrize("statement", KEPT_NOT)
def test_secret_is_masked(statement: str) -> None:
    assert SECRET not in mask(statement)


@pytest.mark.parametrize(
    ("statement", "kept"),
    [
        ("SELECT * FROM customer WHERE name = 'Ada'", "SELECT * FROM customer WHERE name = 'Ada'"),
        (
            "ALTER ROLE ada PASSWORD 'x' VALID UNTIL '2030-01-01'",
            "ALTER ROLE ada PASSWORD '***' VALID UNTIL '2030-01-01'",
        ),
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
