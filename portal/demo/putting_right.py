"""The demo's findings: what the portal, a reviewer or a drill found is given a date, answered, and once closed after a passed retest."""

from collections.abc import Iterable
from datetime import datetime

from portal.demo.clock import at
from portal.demo.stage import Stage
from portal.findings import actions as findings
from portal.findings.models import Finding
from portal.findings.states import RAISED

DUE_AT = at("2026-10-20 00:00")
RETEST_ASKED_AT, CLOSED_AT = at("2026-08-10 08:50"), at("2026-08-10 09:00")
ANSWERS = {
    "k8s": ("Nothing tells when a certificate is about to expire.", "An alert thirty days before its end was added."),
    "warehouse": ("The connector removed the login and left its session alive.", "It ends sessions first, and reads back both."),
    "payroll": ("The forwarder on the payroll host hung for 47 minutes.", "It is watched, and keeps what it could not send."),
    "network": ("The only reviewer was on leave, and nobody had been named.", "A second reviewer is being named for each system."),
    "storage": ("The vendor's login was made permanent at the array.", "The array takes logins from the portal alone."),
    "aws": ("The portal's token had expired unseen.", "Its end stands in the calendar, and was renewed."),
    "mail": ("Reading the quarantine is everyday work, and the only way to it is the emergency way.",
             "A read-only role for the mail team is ordered; until then the team asks for an approval."),
}  # fmt: skip
ANSWERED_AT = (
    at("2026-07-22 09:00"), at("2026-08-12 09:00"), at("2026-08-24 09:00"), at("2026-09-08 09:00"), at("2026-09-18 09:00"), at("2026-09-23 09:00"),
)  # fmt: skip


def answer(stage: Stage, when: datetime) -> None:
    """Every finding that is open gets its owner's answer; what has nobody yet gets an owner, what was due at once a later date by another."""
    stage.organisation.clock.set(when)
    stage.settle()
    for finding in _open():
        _give_date(stage, finding)
        cause, response = ANSWERS[finding.system.slug if finding.system else "mail"]
        findings.answer(by=stage.organisation.by("mo"), finding=finding, cause=cause, response=response)


def _open() -> Iterable[Finding]:
    return Finding.objects.filter(answered_at__isnull=True, closed_at__isnull=True).select_related("system")


def _give_date(stage: Stage, finding: Finding) -> None:
    organisation = stage.organisation
    due_at = organisation.clock.told(DUE_AT)
    if finding.state == RAISED:
        findings.assign(by=organisation.by("nora"), finding=finding, owner=organisation.people["mo"], due_at=due_at)
    elif finding.due_at is not None and finding.kind != "review_answer":
        findings.move_due(by=organisation.by("nora"), finding=finding, due_at=due_at, reason="It needs a change.")


def close_lesson(stage: Stage) -> None:
    """The lesson of BG-04: its control test is run again on the log, passes, and the reviewer closes the finding."""
    organisation = stage.organisation
    finding = Finding.objects.get(kind="review_answer", system=organisation.systems["k8s"])
    organisation.clock.set(RETEST_ASKED_AT)
    findings.ask_retest(by=organisation.by("kim"), finding=finding)
    stage.sealed()
    stage.run("retests")
    organisation.clock.set(CLOSED_AT)
    findings.close(by=organisation.by("kim"), finding=finding, retest_ok=True, comment="The alert stands.")
