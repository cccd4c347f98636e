"""How far ahead the date of a finding may lie. Pure."""

from datetime import datetime, timedelta

AT_MOST = timedelta(days=365)
USUAL = "finding_days"
"""The catalogue's figure: what a finding has unless somebody says otherwise."""


def trouble_with(due_at: datetime, at: datetime) -> str:
    """Why a date cannot be set at that time, in a sentence; empty where it can."""
    if due_at <= at:
        return "The date has to lie ahead."
    return "The date has to lie within a year." if due_at > at + AT_MOST else ""
