"""State diagrams for the docs, drawn from the tables of moves."""

from collections.abc import Mapping
from importlib import import_module

from portal.moves import Move

MACHINES = (
    ("Access request", "portal.access_requests.states", "MOVES", "STATES", "awaiting"),
    ("Grant", "portal.grants.states", "MOVES", "STATES", "authorised"),
    ("Sealed account", "portal.sealed.states", "MOVES", "STATES", "proposed"),
    ("Pair of offline cards", "portal.sealed.states", "CARD_MOVES", "CARD_STATES", "coming"),
    ("New secret of a sealed account", "portal.sealed.states", "ROTATION_MOVES", "ROTATION_STATES", "owed"),
    ("Emergency stop", "portal.stops.states", "MOVES", "STATES", "in_force"),
    ("Swap of weeks in a rota", "portal.rotas.states", "MOVES", "STATES", "offered"),
    ("Reset of a second factor", "portal.people.reset_states", "MOVES", "STATES", "proposed"),
    ("Review", "portal.reviews.states", "MOVES", "STATES", "due"),
    ("Finding", "portal.findings.states", "MOVES", "STATES", "raised"),
    ("Personnel list", "portal.personnel.states", "MOVES", "STATES", "read"),
    ("Attestation", "portal.campaigns.states", "MOVES", "STATES", "open"),
    ("Legal hold", "portal.erasing.states", "HOLD_MOVES", "HOLD_STATES", "holds"),
    ("Cut of old entries", "portal.erasing.states", "CUT_MOVES", "CUT_STATES", "proposed"),
    ("Erasure of a person's values", "portal.erasing.states", "MOVES", "STATES", "asked"),
    ("Lost range of the log", "portal.lost.states", "MOVES", "STATES", "reported"),
    ("Line of an attestation", "portal.campaigns.states", "ITEM_MOVES", "ITEM_STATES", "undecided"),
)
HEAD = "# States\n\nMade by `manage.py statediagrams` from the tables of moves; `make check` fails where this page differs.\n"


def page() -> str:
    """The whole page, in Markdown with Mermaid diagrams."""
    return "\n".join([HEAD, *(_section(*machine) for machine in MACHINES)])


def _section(title: str, module: str, moves: str, states: str, first: str) -> str:
    table = import_module(module)
    words: Mapping[str, str] = getattr(table, states)
    lines = [f"    {state} : {label}" for state, label in words.items()]
    lines += [f"    [*] --> {first}"]
    for move in getattr(table, moves).values():
        lines += _arrows(move)
    final = [state for state in words if not any(state in move.sources for move in getattr(table, moves).values())]
    lines += [f"    {state} --> [*]" for state in final]
    rows = "\n".join(
        f"| {move.name} | {', '.join(sorted(move.sources))} | {move.target} | `{move.event}` |"
        for move in getattr(table, moves).values()
    )
    diagram = "\n".join(["```mermaid", "stateDiagram-v2", *lines, "```"])
    return f"## {title}\n\n{diagram}\n\n| move | from | to | event |\n|-|-|-|-|\n{rows}\n"


def _arrows(move: Move) -> list[str]:
    return [f"    {source} --> {move.target} : {move.name}" for source in sorted(move.sources)]
