"""Every pair of states of every machine. Expected moves are written down here by hand: a test that reads the table cannot find a wrong table."""

from importlib import import_module

import pytest

from audit.events import catalogue

EXPECTED = {
    ("portal.access_requests.states", "MOVES", "STATES"): {
        "approve": ({"awaiting"}, "approved"), "decline": ({"awaiting"}, "declined"),
        "withdraw": ({"awaiting"}, "withdrawn"), "lapse": ({"awaiting"}, "lapsed"),
    },
    ("portal.grants.states", "MOVES", "STATES"): {
        "begin": ({"authorised", "opening"}, "opening"), "activate": ({"opening"}, "active"),
        "give_up": ({"opening"}, "closing"), "return": ({"active"}, "closing"), "expire": ({"opening", "active"}, "closing"),
        "revoke": ({"opening", "active"}, "closing"), "cancel": ({"authorised"}, "failed"), "confirm": ({"closing"}, "ended"),
    },
    ("portal.sealed.states", "MOVES", "STATES"): {
        "approve": ({"proposed"}, "sealed"), "decline": ({"proposed"}, "declined"), "check_out": ({"sealed"}, "held"),
        "check_in": ({"held"}, "sealed"), "retire": ({"sealed"}, "retired"),
    },
    ("portal.sealed.states", "CARD_MOVES", "CARD_STATES"): {
        "confirm": ({"coming"}, "made"), "hand_out": ({"made"}, "out"), "use": ({"made", "out"}, "used"),
        "replace": ({"coming", "made", "out", "used"}, "replaced"),
    },
    ("portal.sealed.states", "ROTATION_MOVES", "ROTATION_STATES"): {
        "rotate": ({"owed"}, "rotated"), "pass": ({"rotated"}, "done"), "fail": ({"rotated"}, "owed"),
    },
    ("portal.stops.states", "MOVES", "STATES"): {
        "ask_lift": ({"in_force"}, "lift_asked"), "keep": ({"lift_asked"}, "in_force"), "lift": ({"lift_asked"}, "lifted"),
    },
    ("portal.rotas.states", "MOVES", "STATES"): {
        "take": ({"offered"}, "taken"), "decline": ({"offered"}, "declined"), "withdraw": ({"offered"}, "withdrawn"),
    },
    ("portal.people.reset_states", "MOVES", "STATES"): {
        "approve": ({"proposed"}, "cooling"), "decline": ({"proposed"}, "declined"), "cancel": ({"proposed", "cooling"}, "cancelled"),
        "finish": ({"cooling"}, "done"), "lapse": ({"proposed", "cooling"}, "lapsed"),
    },
    ("portal.reviews.states", "MOVES", "STATES"): {
        "claim": ({"due"}, "claimed"), "hand_over": ({"claimed"}, "due"), "pass_on": ({"claimed"}, "claimed"),
        "take_back": ({"claimed"}, "due"), "give_next": ({"due", "claimed"}, "claimed"),
        "submit": ({"claimed"}, "submitted"), "ask_second": ({"claimed"}, "second_due"), "claim_second": ({"second_due"}, "second_claimed"),
        "hand_over_second": ({"second_claimed"}, "second_due"), "pass_on_second": ({"second_claimed"}, "second_claimed"),
        "take_back_second": ({"second_claimed"}, "second_due"), "give_next_second": ({"second_due", "second_claimed"}, "second_claimed"),
        "confirm": ({"second_claimed"}, "submitted"), "disagree": ({"second_claimed"}, "submitted"),
    },
    ("portal.findings.states", "MOVES", "STATES"): {
        "assign": ({"raised", "assigned"}, "assigned"), "answer": ({"assigned", "answered"}, "answered"),
        "close": ({"answered"}, "closed"),
    },
    ("portal.personnel.states", "MOVES", "STATES"): {
        "ask_second": ({"read"}, "waits"), "carry_out": ({"read", "waits"}, "done"), "discard": ({"read", "waits"}, "discarded"),
    },
    ("portal.erasing.states", "HOLD_MOVES", "HOLD_STATES"): {
        "ask_lift": ({"holds"}, "lift_asked"), "keep": ({"lift_asked"}, "holds"), "lift": ({"lift_asked"}, "lifted"),
    },
    ("portal.lost.states", "MOVES", "STATES"): {"sign": ({"reported"}, "signed"), "decline": ({"reported"}, "declined")},
    ("portal.erasing.states", "MOVES", "STATES"): {
        "confirm": ({"asked"}, "confirmed"), "decline": ({"asked"}, "declined"), "finish": ({"confirmed"}, "done"),
    },
    ("portal.erasing.states", "CUT_MOVES", "CUT_STATES"): {
        "approve": ({"proposed"}, "approved"), "decline": ({"proposed", "approved"}, "kept"), "say": ({"approved"}, "cutting"),
        "finish": ({"cutting"}, "cut"), "turn_back": ({"cutting"}, "kept"),
    },
    ("portal.campaigns.states", "MOVES", "STATES"): {"close": ({"open"}, "closed")},
    ("portal.campaigns.states", "ITEM_MOVES", "ITEM_STATES"): {
        "keep": ({"undecided"}, "kept"), "modify": ({"undecided"}, "modified"), "revoke": ({"undecided"}, "revoked"),
        "transfer": ({"undecided"}, "undecided"), "reassign": ({"undecided"}, "undecided"),
    },
}  # fmt: skip


@pytest.mark.parametrize("machine", list(EXPECTED), ids=lambda machine: f"{machine[0]}:{machine[1]}")
def test_moves_are_those_written_down(machine: tuple[str, str, str]) -> None:
    moves = getattr(import_module(machine[0]), machine[1])
    assert {name: (set(move.sources), move.target) for name, move in moves.items()} == EXPECTED[machine]


@pytest.mark.parametrize("machine", list(EXPECTED), ids=lambda machine: f"{machine[0]}:{machine[1]}")
def test_moves_name_states_and_declared_events(machine: tuple[str, str, str]) -> None:
    table = import_module(machine[0])
    states = set(getattr(table, machine[2]))
    for move in getattr(table, machine[1]).values():
        assert {*move.sources, move.target} <= states
        assert move.event in catalogue
