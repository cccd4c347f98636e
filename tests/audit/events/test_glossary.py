"""One name for one thing: forms, pages and docs say what a responder says in the same words."""

from pathlib import Path

from audit.events import glossary
from portal.access_requests.forms import AskForm, BypassForm
from portal.access_requests.rules import Asked, owed
from portal.policy.rules import Policy

WORDS = [glossary.WHY_NOW, glossary.KIND_OF_TROUBLE, glossary.REASON, glossary.INTENDED_ACTIONS, glossary.INCIDENT]


def test_docs_explain_each_word_and_no_other() -> None:
    docs = (Path(__file__).parents[3] / "docs" / "responder.md").read_text()
    table = docs.partition("| you say | that is |\n|-|-|\n")[2].partition("\n\n")[0].splitlines()
    assert [line.split("|")[1].strip() for line in table] == WORDS


def test_both_forms_ask_why_now() -> None:
    assert [form.base_fields["criterion"].label for form in (AskForm, BypassForm)] == [f"{glossary.WHY_NOW}?"] * 2


def test_all_that_a_bypass_may_owe_has_words() -> None:
    policy = Policy(incident_required=True, min_reason_chars=20)
    assert owed(Asked("bypass", "outage", "Down.", 30), policy) == list(glossary.LEFT_OUT)
