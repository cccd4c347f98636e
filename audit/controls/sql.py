"""Each test as one SELECT, put together as the head of ``tests.yaml`` says.

The text made here is the text that runs and is printed.
"""

import re
from collections.abc import Iterable, Iterator

from audit.controls.model import ControlTest, Exemption
from audit.facts.schema import Table, load_schema

WORD = re.compile(r"[a-z_]+")
BESIDE = "period CROSS JOIN params CROSS JOIN ms CROSS JOIN "


def select_text(test: ControlTest) -> str:
    """The SELECT of a test: each row of its population, 0 or 1 for each clause, and the result."""
    stand_ins = "".join(f"\nUNION ALL\n{each}" for each in (_stand_ins(test), _cut(test)) if each)
    return f"{_judged(test)}\nSELECT *, {_result(test)} AS result\nFROM judged{stand_ins}\nORDER BY id"


def proof_text(test: ControlTest) -> str:
    """The query that says whether an empty population of this test counts as not applicable."""
    kept_by = table_of(test.population.of).kept_by
    return f"SELECT proved FROM proofs WHERE kept_by = '{kept_by}' AND NOT {_unfed(test)}"  # noqa: S608  our own words


def table_of(name: str) -> Table:
    """The table of facts of that name."""
    return load_schema().tables[name]


def exemption_names(test: ControlTest) -> Iterator[tuple[str, Exemption]]:
    """Each open and inconclusive rule with the name of its column: ``open``, then ``open_2`` and so on."""
    for kind, rules in (("open", test.open), ("inconclusive", test.inconclusive)):
        for number, rule in enumerate(rules, 1):
            yield (kind if number == 1 else f"{kind}_{number}"), rule


def columns(test: ControlTest) -> list[str]:
    """Names of the columns that the SELECT gives before ``result``."""
    return [
        "id",
        *test.population.shows,
        *(clause.name for clause in test.must),
        *(name for name, _ in exemption_names(test)),
    ]


def _judged(test: ControlTest) -> str:
    selected = [f"{_key(test)} AS id"]
    selected += [f"{expression} AS {name}" for name, expression in test.population.shows.items()]
    selected += [f"coalesce(({clause.sql}), 0) AS {clause.name}" for clause in test.must]
    selected += [f"coalesce(({rule.sql}), 0) AS {name}" for name, rule in exemption_names(test)]
    return (
        "WITH judged AS MATERIALIZED (\n  SELECT "  # noqa: S608  catalogue text is the point, and it only reads
        + ",\n    ".join(selected)
        + f"\n  FROM {BESIDE}{test.population.source}\n  WHERE {_chosen(test)}\n)"
    )


def _key(test: ControlTest) -> str:
    """The key of the rows judged, in the table itself or in the view that stands for it."""
    return f"{test.population.source.split()[0]}.{table_of(test.population.of).key}"


def _chosen(test: ControlTest) -> str:
    carried = f"{_key(test)} IN (SELECT row_id FROM carried_over WHERE test_id = '{test.id}')"  # noqa: S608  ids are checked
    within = f"({_in_period(test)} OR {carried})"
    return f"{within}\n    AND ({test.population.where})" if test.population.where else within


def _in_period(test: ControlTest) -> str:
    if test.population.span:
        from_at, to_at = test.population.span
        return f"({from_at} < period.end_at AND coalesce({to_at}, period.end_at) >= period.start_at)"
    within = [f"({at} >= period.start_at AND {at} < period.end_at)" for at in test.population.at]
    return within[0] if len(within) == 1 else f"({_any(within)})"


def _result(test: ControlTest) -> str:
    of = test.population.of
    cases = [f"WHEN id IN (SELECT row_id FROM unreadable WHERE table_name = '{of}') THEN 'inconclusive'"]  # noqa: S608  our own
    cases.append(f"WHEN {_unfed(test)} THEN 'inconclusive'")
    cases.append(f"WHEN {_any(_unexcused(test, clause.name) for clause in test.must)} THEN '{test.failing}'")
    if test.inconclusive:
        cases.append(f"WHEN {_any(_turned(test))} THEN 'inconclusive'")
    if test.open:
        cases.append(f"WHEN {_any(_waiting(test))} THEN 'open'")
    return "CASE\n  " + "\n  ".join(cases) + "\n  ELSE 'pass' END"


def _unfed(test: ControlTest) -> str:
    """Whether a table that the test reads is one that nothing fills yet."""
    names = ", ".join(f"'{name}'" for name in tables_read(test))
    return f"EXISTS (SELECT 1 FROM unfed WHERE table_name IN ({names}))"  # noqa: S608  names of known tables


def tables_read(test: ControlTest) -> list[str]:
    """Tables of facts that a test names itself; a view adds none that it does not join to a table named here."""
    rules = [clause.sql for clause in test.must] + [rule.sql for rule in (*test.open, *test.inconclusive)]
    texts = [test.population.source, test.population.where or "", *rules]
    named = {test.population.of} | {word for text in texts for word in WORD.findall(text)}
    return sorted(named & load_schema().tables.keys())


def _unexcused(test: ControlTest, clause: str) -> str:
    """A clause failed, and nothing open or inconclusive says otherwise of it."""
    excuses = [
        f"{name} = 0"
        for name, rule in exemption_names(test)
        if clause in rule.clauses and rule.turns in ("", "fail", "both")
    ]
    return f"({' AND '.join([f'{clause} = 0', *excuses])})"


def _turned(test: ControlTest) -> Iterator[str]:
    for name, rule in exemption_names(test):
        if rule.turns == "both":
            yield f"{name} = 1"
        elif rule.turns:
            value = 0 if rule.turns == "fail" else 1
            yield f"({name} = 1 AND ({_any(f'{clause} = {value}' for clause in rule.clauses)}))"


def _waiting(test: ControlTest) -> Iterator[str]:
    for name, rule in exemption_names(test):
        if not rule.turns:
            yield f"({name} = 1 AND ({_any(f'{clause} = 0' for clause in rule.clauses)}))"


def _any(conditions: Iterable[str]) -> str:
    return " OR ".join(conditions)


def _stand_ins(test: ControlTest) -> str:
    rows = test.stand_ins
    if rows is None:
        return ""
    nothing = ", ".join(["NULL"] * (len(columns(test)) - 1))
    return (
        f"SELECT {rows.of}.{table_of(rows.of).key}, {nothing}, 'inconclusive'\n"
        f"FROM {BESIDE}{rows.of}\n"
        f"WHERE ({rows.at} >= period.start_at AND {rows.at} < period.end_at) AND ({rows.where})"
    )


def _cut(test: ControlTest) -> str:
    """One row for each cut behind which rows of the period may lie. Of what is kept the cut is a row itself; what is personal was due later."""
    if test.population.of == "kept_records":
        return ""
    until = "keep_until" if test.population.of == "personal_values" else "to_at"
    nothing = ", ".join(["NULL"] * (len(columns(test)) - 1))
    return (
        f"SELECT cuts.id, {nothing}, 'inconclusive'\n"
        f"FROM {BESIDE}cuts\n"
        f"WHERE cuts.from_at < period.end_at AND cuts.{until} >= period.start_at"
    )
