"""What the gallery shows: short words, long words, nothing."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

AT = datetime(2026, 11, 24, 17, 25, 9, tzinfo=UTC)
LONG = "payments-settlement-reconciliation-eu-central-production-primary-database"
LONG_NAME = "Maximiliane Konstantinopolitanski-Featherstonehaugh von Hohenlohe"

NAV: list[Mapping[str, Any]] = [
    {"label": "Home", "url": "#home", "icon": "home", "active": True},
    {"label": "Requests", "url": "#requests", "icon": "key", "active": False, "group": "Emergency access"},
    {
        "label": "Approvals",
        "url": "#approvals",
        "icon": "user-check",
        "active": False,
        "count": 3,
        "group": "Emergency access",
    },
    {
        "label": "Reviews",
        "url": "#reviews",
        "icon": "clipboard-check",
        "active": False,
        "count": 12,
        "group": "Emergency access",
    },
    {"label": "Cases", "url": "#cases", "icon": "file-text", "active": False, "group": "Evidence"},
    {"label": "Log", "url": "#log", "icon": "shield-lock", "active": False, "group": "Evidence"},
    {"label": "Systems", "url": "#systems", "icon": "server", "active": False, "group": "Administration"},
    {
        "label": "Eligibility and roles",
        "url": "#eligibility",
        "icon": "users",
        "active": False,
        "group": "Administration",
    },
]
SHELL: dict[str, Any] = {
    "portal_name": "Breakglass Portal",
    "nav": NAV,
    "person_name": "Ada Lovelace",
    "person_note": "Responder, reviewer",
    "sign_ins_url": "#sign-ins",
    "sign_out_url": "#sign-out",
    "demo": True,
    "late": ["Sealing is 40 seconds late.", "Mail waits: 3 alerts not sent yet."],
    "late_url": "#status",
    "stops": [{"text": "Emergency stop since 17:20 UTC: payments-db. Nothing is opened there.", "url": "#stop"}],
    "open_glass": [{"text": "Bypass open on payments-db until 18:25 UTC.", "url": "#open"}],
    "log_size": 50_412,
    "log_at": AT,
}
TABS = [
    {"label": "Overview", "url": "#overview", "active": True},
    {"label": "Statements", "url": "#statements", "active": False, "count": 128},
    {"label": "Alerts", "url": "#alerts", "active": False, "count": 0},
    {"label": "The whole record", "url": "#everything", "active": False},
]
KIND = {"thing": "case", "things": "cases"}
SEARCHES = [
    {"search": {"name": "Mine this month", "shared": False}, "url": "#mine"},
    {"search": {"name": f"Bypasses on {LONG}", "shared": True}, "url": "#bypasses"},
]
STATES = [
    *("bypass", "active", "closing", "opening", "authorised", "pending", "due", "overdue", "failed", "gap"),
    *(
        "approved",
        "complete",
        "reconciled",
        "sealed",
        "ended",
        "declined",
        "withdrawn",
        "lapsed",
        "not_covered",
        "drill",
    ),
]
STEPS = [
    {"label": "Asked", "state": "done", "note": "17:25 UTC"},
    {"label": "Approved", "state": "done", "note": "by Grace Hopper"},
    {"label": "Open", "state": "glass", "note": "until 18:25 UTC"},
    {"label": "Ended", "state": "next"},
    {"label": "Reviewed", "state": "next", "note": "within 24 hours"},
]
STEPS_EARLY = [
    {"label": "Asked", "state": "done"},
    {"label": "Approval", "state": "now", "note": "one of three is awaited"},
    {"label": "Open", "state": "next"},
]
TIMELINE = [
    {
        "title": "Access requested",
        "at": AT,
        "by": "Ada Lovelace",
        "text": "Settlement is stuck since 16:50.",
        "icon": "key",
    },
    {
        "title": "Three people alerted",
        "at": AT + timedelta(seconds=2),
        "text": "Mail and chat",
        "icon": "bell",
        "tone": "accent",
    },
    {"title": "Approved", "at": AT + timedelta(minutes=3), "by": LONG_NAME, "icon": "circle-check", "tone": "good"},
    {
        "title": "Glass opened",
        "at": AT + timedelta(minutes=3, seconds=1),
        "text": f"Login on {LONG}",
        "icon": "lock-open",
        "tone": "glass",
    },
    {"title": "Sealing was late", "at": AT + timedelta(minutes=4), "icon": "alert-triangle", "tone": "attention"},
]
FIGURES = [
    {"label": "Open now", "value": 1, "note": "payments-db", "tone": "glass"},
    {"label": "Reviews due", "value": 3, "note": "next in 2 h", "tone": "attention"},
    {"label": "Uses this month", "value": 12, "note": "4 of them bypasses"},
    {"label": "Median time to open", "value": "48 s"},
]
FACTS = [
    ("System", "payments-db"),
    ("Privilege", "emergency_write"),
    ("Reason", "Settlement is stuck since 16:50; the queue grows by 400 a minute and merchants are not paid."),
    ("Host", LONG),
    ("Incident", None),
]
COLUMNS = ["System", "Person", "Asked", "Mode", "Statements", "Verdict"]
ROWS = [
    [
        {"text": "payments-db", "url": "#case-1"},
        {"person": "Ada Lovelace"},
        {"at": AT},
        "approved",
        128,
        {"state": "complete"},
    ],
    [{"text": LONG, "url": "#case-2"}, {"person": LONG_NAME}, {"at": AT}, {"state": "bypass"}, 4, {"state": "gap"}],
    [
        {"text": "hr-db", "url": "#case-3"},
        {"person": "Alan Turing", "note": "rehearsal"},
        {"at": AT},
        {"state": "drill"},
        0,
        None,
    ],
]
COMMAND = 'psql "host=payments-db.example port=5432 dbname=payments user=bg_0042_ada sslmode=verify-full"'
