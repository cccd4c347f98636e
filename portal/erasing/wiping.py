"""Cuts what names somebody, and what they typed, out of texts: whole names, whole addresses, whole sentences, and never a part of a word."""

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import quote_plus

from django.apps import apps
from django.db import connections, models

from portal.erasing.columns import cleared
from portal.notifications.inert import one_line

GONE = "(erased)"
LONG = 24
"""Characters from which on a typed text is looked for in texts of others: what is shorter ("approved") stands there by chance, as their own word."""
# What may stand in another's address before ours: ann@ is no part of joann@, mary.ann@ or o'ann@. A quotation mark before an address is none.
_BEFORE_ADDRESS, _AFTER_ADDRESS = r"(?<![\w.+&-])(?<!\w')", r"(?![\w-]|\.\w)"
_BEFORE_NAME, _AFTER_NAME = r"(?<!\w)(?<!\w-)", r"(?!\w|-\w)"
Change = Callable[[str], str]
Field: TypeAlias = "models.Field[Any, Any]"


@dataclass(frozen=True)
class Sought:
    """What is looked for: names and addresses everywhere, long typed texts where people type freely."""

    names: tuple[str, ...]
    typed: tuple[str, ...] = ()

    def patterns(self, *, is_json: bool, is_free: bool) -> list[str]:
        """For PostgreSQL, wider than what is cut: which rows are worth a look."""
        texts = [*_forms(self.names), *(self.typed if is_free else ())]
        return [_loose(json.dumps(each, ensure_ascii=False)[1:-1] if is_json else each) for each in texts]

    def change(self, *, is_free: bool) -> Change:
        """How a text is changed."""
        found = [re.compile(_bounded(each), re.IGNORECASE) for each in _forms(self.names)]
        if is_free:
            found = [*(re.compile(re.escape(each), re.IGNORECASE) for each in self.typed), *found]

        def cut(text: str) -> str:
            for each in found:
                text = each.sub(GONE, text)
            return text

        return cut


def sought(names: Iterable[str], typed: Iterable[str] = ()) -> Sought:
    """The longest first, so that no rest of a longer one stays. Alerts hold what was typed on one line."""
    long = {form for each in typed for form in (each, one_line(each)) if len(form) >= LONG}
    return Sought(tuple(sorted(names, key=len, reverse=True)), tuple(sorted(long, key=len, reverse=True)))


def clear_table(table: str, wanted: Sought, alias: str = "default") -> int:
    """Change every row of a table in which something of it stands, as `COLUMNS` says; returns how many rows."""
    columns = cleared(table)
    if not columns or not (wanted.names or wanted.typed):
        return 0
    fields, key = _fields(table)
    changes = {free: wanted.change(is_free=free) for free in (True, False)}
    where = " OR ".join(f'"{column}"::text ~* ANY(%s)' for column in columns)
    given = [wanted.patterns(is_json=_is_json(fields[each]), is_free=free) for each, free in columns.items()]
    listed = ", ".join(f'"{column}"::text' for column in columns)
    with connections[alias].cursor() as cursor:
        cursor.execute(f'SELECT "{key}", {listed} FROM "{table}" WHERE {where} FOR UPDATE', given)  # noqa: S608 - names of our own tables
        rows = cursor.fetchall()
        return sum(
            _write(cursor, table, (key, pk), {
                fields[column]: new for (column, free), value in zip(columns.items(), values, strict=True)
                if (new := _changed(value, fields[column], changes[free])) != value
            })
            for pk, *values in rows
        )  # fmt: skip


def clear_tables(tables: Collection[str], wanted: Sought) -> dict[str, int]:
    """How many rows of each table were changed, where any were."""
    found = {table: clear_table(table, wanted) for table in tables}
    return {table: count for table, count in found.items() if count}


def in_strings(value: Any, change: Change) -> Any:
    """A JSON value with each text in it changed; its numbers, keys and shape stay."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [in_strings(each, change) for each in value]
    if isinstance(value, dict):
        return {key: in_strings(each, change) for key, each in value.items()}
    return value


def _changed(value: str | None, field: Field, change: Change) -> str | None:
    if value is None:
        return None
    if not _is_json(field):
        return change(value)[: field.max_length]
    before = json.loads(value)
    after = in_strings(before, change)
    return value if after == before else json.dumps(after, ensure_ascii=False)


def _write(cursor: Any, table: str, row: tuple[str, object], new: Mapping[Field, str | None]) -> int:
    if not new:
        return 0
    key, pk = row
    sets = ", ".join(f'"{each.column}" = %s{"::jsonb" if _is_json(each) else ""}' for each in new)
    cursor.execute(f'UPDATE "{table}" SET {sets} WHERE "{key}" = %s', [*new.values(), pk])  # noqa: S608 - names of our own tables
    return int(cursor.rowcount)


def _fields(table: str) -> tuple[dict[str, Field], str]:
    """The table's fields by column, and the column of its key."""
    model = next(each for each in apps.get_models() if each._meta.db_table == table)
    return {str(each.column): each for each in model._meta.concrete_fields}, str(model._meta.pk.column)


def _is_json(field: Field) -> bool:
    return isinstance(field, models.JSONField)


def _forms(names: Sequence[str]) -> list[str]:
    """As they are, and as they stand in the address of a list's page."""
    return list(dict.fromkeys(form for each in names for form in (each, quote_plus(each))))


def _loose(text: str) -> str:
    """A pattern of PostgreSQL that finds the text in any case; a space stands for any space."""
    return re.sub(
        r"\s+", r"\\s+", "".join(f"\\{sign}" if not sign.isalnum() and not sign.isspace() else sign for sign in text)
    )


def _bounded(text: str) -> str:
    words = r"\s+".join(map(re.escape, text.split()))
    is_address = "@" in text or "%40" in text
    return f"{_BEFORE_ADDRESS}{words}{_AFTER_ADDRESS}" if is_address else f"{_BEFORE_NAME}{words}{_AFTER_NAME}"
