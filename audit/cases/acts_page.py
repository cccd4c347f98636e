"""What was done in one use, in the words of its page."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from audit.cases import acts, words
from audit.cases.inert import one_line
from audit.cases.models import ActRow
from audit.cases.statements import rows_named


def groups(found: Sequence[acts.Group]) -> list[dict[str, Any]]:
    """A line for each session and class, with the address of its actions."""
    return [
        {
            "group": each, "kind": words.CLASSES.get(each.kind, words.plain(each.kind)), "session": one_line(each.session),
            "failed": f"{each.failed} failed", "query": urlencode({"session": each.session_id, "kind": each.kind}),
        }
        for each in found
    ]  # fmt: skip


def rows(use: acts.Use, found: Sequence[ActRow], chosen: Mapping[str, str], ticked: Collection[str]) -> dict[str, Any]:
    """Actions with their statements, and the counts of the session and class that they are of."""
    session, kind = chosen["session"], chosen["kind"]
    shown = rows_named(acts.session_names(use, found), acts.activities_of(use, found), ticked)
    return {
        "rows": shown,
        "totals": acts.totals(use, session=session, kind=kind) if session or kind else None,
        "kind": words.CLASSES.get(kind, words.plain(kind)) if kind else "",
        "outside_says": use.outside_says,
    }
