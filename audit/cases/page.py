"""The page of a case: its fold put into words, in the order in which things happen."""

from dataclasses import dataclass
from typing import Any

from audit.cases import words
from audit.cases.asked import Alert, Asked
from audit.cases.case import Case
from audit.cases.inert import inert, one_line
from audit.cases.judged import SecondLook
from audit.cases.opened import Grant, ReadBack
from audit.cases.presenters import Line, line, name_of
from audit.cases.reading import Record
from audit.cases.status import VERDICTS, status_of
from audit.events import glossary
from audit.log.read import LoggedEvent
from audit.moments import dates

Pairs = list[tuple[str, Any]]
QUIET = ("alert.", "page.viewed")
"""Entries that the timeline shows on demand."""


@dataclass(frozen=True)
class Telling:
    """A case and how its people are called."""

    record: Record

    @property
    def case(self) -> Case:
        """The fold."""
        return self.record.case

    def name(self, actor: str) -> str:
        """A person's name, a process, an address."""
        return name_of(actor, self.record.names, erased=False)

    def named(self, actors: tuple[str, ...]) -> str:
        """Several, as a list."""
        return ", ".join(self.name(each) for each in actors)


def context(record: Record) -> dict[str, Any]:
    """Everything that the page shows but for the statements."""
    tell, case = Telling(record), record.case
    quiet = [each for each in record.events if each.name.startswith(QUIET)]
    loud = [each for each in record.events if not each.name.startswith(QUIET)]
    return {
        "case": case, "status": status_of(case), "title": title(case), "steps": steps(case), "figures": figures(case),
        "asked": asked(tell), "reason": inert(case.asked.reason) if case.asked else "", "more": _more(case), "decisions": decisions(tell),
        "questions": questions(tell), "waiting": _waiting(tell), "opened": opened(tell), "extensions": extensions(tell), "troubles": troubles(case),
        "sessions": sessions(case), "alerts": [_alert(tell, each) for each in case.alerts], "ended": ended(tell),
        "read_backs": [_read_back(each) for each in case.read_backs], "review": review(tell), "findings": findings(tell),
        "refusals": [{"by": tell.name(each.by), "at": each.at, "sentence": one_line(each.sentence)} for each in case.refusals],
        "lines": lines(record, loud), "quiet_lines": lines(record, quiet), "cut": record.cut,
    }  # fmt: skip


def lines(record: Record, events: list[LoggedEvent]) -> list[Line]:
    """The entries, one line each."""
    return [line(each, record.names) for each in events]


def title(case: Case) -> str:
    """What was asked for, and where."""
    return (
        f"{one_line(case.asked.privilege, 120)} on {one_line(case.asked.system, 120)}"
        if case.asked
        else f"Case {case.id}"
    )


def asked(tell: Telling) -> Pairs:
    """What was asked."""
    it = tell.case.asked
    if it is None:
        return []
    intends = ", ".join(words.CLASSES.get(each, words.plain(each)) for each in it.classes)
    return _said(
        ("Who", tell.name(it.by)), ("Mode", words.MODES.get(it.mode, it.mode)), (glossary.WHY_NOW, words.CRITERIA.get(it.criterion, it.criterion)),
        (glossary.KIND_OF_TROUBLE, words.CATEGORIES.get(it.category, it.category)), (glossary.INCIDENT, one_line(it.incident)),
        (glossary.INTENDED_ACTIONS, intends or "Nothing was named"), ("For", words.minutes(it.minutes)),
        ("Policy", f"Version {it.policy_number}, SHA-256 {it.policy_sha256[:16]}…"),
        ("Left out, owed until the review", ", ".join(map(glossary.left_out, it.owed))),
    )  # fmt: skip


def _more(case: Case) -> list[dict[str, Any]]:
    given = case.asked.more if case.asked else ()
    return [
        {
            "at": each.at,
            "text": inert(each.reason),
            "gave": glossary.gave(
                words.CATEGORIES.get(each.category, each.category),
                [words.CLASSES.get(one, words.plain(one)) for one in each.classes],
                one_line(each.incident),
            ),
        }
        for each in given
    ]


def decisions(tell: Telling) -> list[dict[str, Any]]:
    """Who said yes or no, and who has seen it."""
    answered = [
        {
            "person": tell.name(each.by),
            "word": "approved" if each.approved else "declined",
            "at": each.at,
            "comment": inert(each.comment),
        }
        for each in tell.case.decisions
    ]
    return answered + [{"person": tell.name(by), "word": "seen", "at": at, "comment": ""} for by, at in tell.case.seen]


def questions(tell: Telling) -> list[dict[str, Any]]:
    """What the responder was asked, and what they answered."""
    return [
        {"person": tell.name(each.by), "at": each.at, "text": inert(each.text), "answer": inert(each.answer), "answered_at": each.answered_at}
        for each in tell.case.questions
    ]  # fmt: skip


def _waiting(tell: Telling) -> Pairs:
    it = tell.case.asked
    if it is None:
        return []
    needed = f"{it.needed} approver{'' if it.needed == 1 else 's'}" if it.mode != "bypass" else ""
    return _said(
        ("Needed", needed),
        ("Asked", tell.named(it.asked)),
        ("Skipped", tell.named(it.skipped)),
        ("Told", tell.named(it.told)),
    )


def opened(tell: Telling) -> Pairs:
    """When and how it was opened, or who ended it before that and why."""
    grant = tell.case.grant
    if grant is None:
        return []
    logging = {True: "Each statement, on the target", False: "Not logged on the target", None: ""}[
        grant.statement_logging
    ]
    sealed = (
        "No: the policy let it open before"
        if grant.unsealed
        else "Yes, and witnessed, before it was opened"
        if grant.witnessed
        else "Yes, before it was opened"
        if grant.opened_at
        else ""
    )
    stopped = bool(grant.failed and grant.over_by)
    shown = f"{len(grant.revealed)} times" if len(grant.revealed) > 1 else "Once" if grant.revealed else "Never"
    return _said(
        ("Login", grant.login), ("Statements", logging), ("Intent sealed", sealed), ("Warnings", "; ".join(one_line(each) for each in grant.warnings)),
        ("Secret shown" if grant.sealed else "Password shown", shown),
        ("Not opened", one_line(grant.failed)), ("By", tell.name(grant.over_by) if stopped else ""),
        ("Why", one_line(grant.over_reason) if stopped else ""),
    )  # fmt: skip


def extensions(tell: Telling) -> list[dict[str, Any]]:
    """More time: asked, given, carried."""
    return [
        {
            "minutes": words.minutes(each.minutes), "asked_at": each.asked_at, "reason": inert(each.reason), "decided_at": each.decided_at,
            "by": tell.name(each.decided_by) if each.decided_by else "", "given": each.given, "applied_at": each.applied_at,
        }
        for each in tell.case.extensions
    ]  # fmt: skip


def troubles(case: Case) -> list[dict[str, Any]]:
    """What did not work on the target, by act."""
    return [
        {"act": each.act, "at": each.at, "attempt": each.attempt, "sentence": one_line(each.sentence)}
        for each in case.troubles
    ]


def sessions(case: Case) -> list[dict[str, Any]]:
    """Connections on the target, and logins that were not let in."""
    return [
        {
            "name": one_line(each.name), "login": one_line(each.login), "database": one_line(each.database), "remote": one_line(each.remote),
            "started_at": each.started_at, "ended_at": each.ended_at, "state": each.refused or each.state or "open",
            "ranges": one_line(", ".join(each.ranges)),
        }
        for each in case.sessions
    ]  # fmt: skip


def _alert(tell: Telling, each: Alert) -> dict[str, Any]:
    return {
        "person": tell.name(each.recipient), "kind": words.ALERTS.get(each.kind, words.plain(each.kind)), "channel": each.channel,
        "queued_at": each.queued_at, "sent_at": each.sent_at, "seen_at": each.seen_at, "failures": each.failures,
        "delivered_at": each.delivered_at, "seen_over": each.seen_over, "looked_at": each.looked_at,
    }  # fmt: skip


def ended(tell: Telling) -> Pairs:
    """How it ended, and who says so."""
    grant = tell.case.grant
    if grant is None or not grant.over:
        return []
    how = {
        "returned": "The responder was done",
        "expired": "The time was over",
        "revoked": "Somebody else ended it",
    }.get(grant.over, grant.over)
    by = tell.name(grant.over_by) if grant.over_by and grant.over != "expired" else ""
    return _said(("How", how), ("By", by), ("Why", one_line(grant.over_reason)))


def _read_back(each: ReadBack) -> dict[str, Any]:
    return {
        "at": each.at, "clear": each.clear, "remainders": ", ".join(map(words.plain, each.remainders)), "details": inert(each.details),
        "drift": ", ".join(map(words.plain, each.drift)), "drift_details": inert(each.drift_details), "sessions_ended": each.sessions_ended,
    }  # fmt: skip


def review(tell: Telling) -> dict[str, Any] | None:
    """The review as far as it has come."""
    it = tell.case.review
    if it is None:
        return None
    return {
        "due_at": it.due_at, "pool": tell.named(it.pool), "reviewer": tell.name(it.reviewer) if it.reviewer else "", "submitted_at": it.submitted_at,
        "outcome": words.JUDGED.get(it.outcome) or one_line(words.plain(it.outcome)),
        "answers": [(one_line(key), one_line(value)) for key, value in it.answers],
        "missing": it.missing, "adverse": it.adverse, "upheld": it.upheld,
        "comments": inert(it.comments), "late": bool(it.due_at and it.submitted_at and it.submitted_at > it.due_at),
        "second": _second(tell, it.second) if it.second else None,
    }  # fmt: skip


def _second(tell: Telling, it: SecondLook) -> dict[str, Any]:
    return {
        "due_at": it.due_at, "pool": tell.named(it.pool), "reviewer": tell.name(it.reviewer) if it.reviewer else "", "agrees": it.agrees,
        "submitted_at": it.submitted_at, "words": inert(it.words), "late": bool(it.submitted_at and it.submitted_at > it.due_at),
    }  # fmt: skip


def findings(tell: Telling) -> list[dict[str, Any]]:
    """What is to be put right."""
    return [
        {
            "id": each.id, "title": one_line(each.title), "state": each.state, "owner": tell.name(each.owner) if each.owner else "",
            "due_at": each.due_at, "details": inert(each.details), "cause": inert(each.cause), "response": inert(each.response),
            "closed_at": each.closed_at,
        }
        for each in tell.case.findings
    ]  # fmt: skip


def verdict(case: Case) -> dict[str, Any]:
    """What completeness says, with exactly what is missing, for each source."""
    label, tone, icon = VERDICTS.get(case.verdict, ("", "quiet", "help-circle"))
    told = [
        {
            "kind": each.kind,
            "at": each.at,
            "reasons": [dates(inert(text)) for text in each.reasons],
            "ranges": [dates(inert(text)) for text in each.ranges],
        }
        for each in case.verdicts
    ]
    return {"kind": case.verdict, "label": label, "tone": tone, "icon": icon, "told": told}


def figures(case: Case) -> list[dict[str, Any]]:
    """Four figures at the head of the page."""
    grant = case.grant
    end = (grant.over_at or grant.expires_at) if grant else None
    length = (end - grant.opened_at) // 1000 if grant and grant.opened_at is not None and end is not None else None
    still = bool(grant and grant.opened_at and not grant.over)
    return [
        {"label": "Open for" if not still else "Open, at most", "seconds": length, "tone": "glass" if still else ""},
        {
            "label": "Actions",
            "value": len(case.activities),
            "note": f"{case.failed_count} failed, {case.outside_says}",
        },
        {
            "label": "Record",
            "value": VERDICTS[case.verdict][0] if case.verdict in VERDICTS else "None",
            "note": "" if case.verdict else "Nothing was opened",
            "tone": "attention" if case.verdict == "gap" else "",
        },
        {
            "label": "Findings",
            "value": sum(each.state != "closed" for each in case.findings),
            "note": f"{len(case.findings)} in all",
        },
    ]


def steps(case: Case) -> list[dict[str, str]]:
    """The way of the case; what was skipped is left out."""
    grant, way = case.grant, []
    way.append(("Asked", True, ""))
    if case.asked and case.asked.mode != "bypass":
        word = {"declined": "Declined", "lapsed": "Lapsed", "withdrawn": "Withdrawn"}.get(case.ended_as, "Approved")
        way.append((word, bool(case.ended_as or case.decided_at or grant), ""))
    if not case.ended_as:
        is_open = bool(grant and grant.opened_at and not grant.over)
        way += [
            ("Opened", bool(grant and grant.opened_at), "glass" if is_open else ""),
            ("Ended", bool(grant and grant.over), "glass" if grant and grant.over and not grant.confirmed_at else ""),
            _gone(grant),
            ("Judged", case.verdict not in ("", "pending"), ""),
            ("Reviewed", bool(case.review and case.review.done_at), ""),
        ]  # fmt: skip
    return _marked(way)


def _gone(grant: Grant | None) -> tuple[str, bool, str]:
    """A sealed account lasts: what ends its use is another secret, where the one that was shown works on."""
    if grant is not None and grant.sealed and grant.revealed:
        return "Secret replaced", grant.replaced_at is not None, "glass" if grant.over and grant.secret_known else ""
    return "Read back", bool(grant and grant.confirmed_at), ""


def _marked(way: list[tuple[str, bool, str]]) -> list[dict[str, str]]:
    first = next((place for place, (_, done, _) in enumerate(way) if not done), len(way))
    return [
        {"label": label, "state": mark or ("done" if done else "now" if place == first else "next")}
        for place, (label, done, mark) in enumerate(way)
    ]


def _said(*pairs: tuple[str, Any]) -> Pairs:
    return [(name, one_line(str(value), 1000)) for name, value in pairs if value]


__all__ = ["Asked", "Telling", "context", "verdict"]
