"""Lock one row and read it as it is now: how nearly every action begins.

``select_for_update().get(pk=...)`` does the same, and the tests hold this against it. But the ORM puts that statement together anew each time,
which costs an action more than all the rest of its Python. Here the ORM's own statement is kept, one for each model, and prepared on the server.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import psycopg
from django.db import DEFAULT_DB_ALIAS, OperationalError, connection, connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.transaction import TransactionManagementError
from psycopg.adapt import PyFormat, Transformer

from audit.log.one_trip import Asked, ask, refused

M = TypeVar("M", bound=models.Model)
T = TypeVar("T")


class Kept(NamedTuple):
    """The ORM's locking statement for one model, under its name on the server, and what makes its columns Python's."""

    name: bytes
    statement: bytes
    converters: dict[int, Any]


_kept: dict[tuple[type[models.Model], bool], Kept] = {}


def lock_row(model: type[M], pk: object, *, no_key: bool = False) -> M:
    """The row, locked until the caller's transaction ends.

    Args:
        no_key: Let others refer to the row meanwhile (``FOR NO KEY UPDATE``).

    Raises:
        TransactionManagementError: There is no transaction.
        Model.DoesNotExist: There is no such row.
    """
    link = connections[DEFAULT_DB_ALIAS]  # once: `connection` looks for the thread's own at each use
    if not link.in_atomic_block:
        raise TransactionManagementError("A row is locked inside of a transaction.")
    kept = _kept.get((model, no_key)) or _keep(model, pk, no_key=no_key)
    link.validate_no_broken_transaction()
    with link.wrap_database_errors:
        found = _found(link, kept, model._meta.pk.get_db_prep_value(pk, link))
    if found is None:
        raise model.DoesNotExist(f"There is no {model._meta.verbose_name} {pk}.")  # type: ignore[attr-defined]  # each model has its own
    values = list(found)
    for place, (converts, expression) in kept.converters.items():
        for convert in converts:
            values[place] = convert(values[place], expression, link)
    return model.from_db(link.alias, [field.attname for field in model._meta.concrete_fields], values)


def _found(link: BaseDatabaseWrapper, kept: Kept, key: object) -> tuple[Any, ...] | None:
    read = Transformer(link.connection)
    values = read.dump_sequence([key], [PyFormat.TEXT])
    (answer,) = ask(link.connection, [Asked(kept.name, kept.statement, values, read.formats)])
    if error := refused(answer):
        raise error
    read.set_pgresult(answer)
    return read.load_row(0, tuple) if answer.ntuples else None


def _keep(model: type[models.Model], pk: object, *, no_key: bool) -> Kept:
    # Not in the model's order: where that is another row's, such as the system's name, that row would be joined and locked too.
    rows = model._base_manager.select_for_update(no_key=no_key).filter(pk=pk).order_by()
    compiler = rows.query.get_compiler(using=connection.alias)
    statement = compiler.as_sql()[0].replace("%s", "$1").encode()
    converters = compiler.get_converters([column for column, _, _ in compiler.select])
    name = f"lock{'_no_key' * no_key}_{model._meta.db_table}".encode()
    kept = _kept[model, no_key] = Kept(name, statement, converters)
    return kept


def again_after_deadlock(act: Callable[[], T]) -> T:
    """Do it a second time where the database took it back for a deadlock: nothing of the first was kept, and who was in the way is past it."""
    try:
        return act()
    except OperationalError as error:
        if not isinstance(error.__cause__, psycopg.errors.DeadlockDetected) or connection.in_atomic_block:
            raise
    return act()
