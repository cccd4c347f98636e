"""What the log says of a finding's control test being run again. Nothing of it is stored beside the log."""

from dataclasses import dataclass

from audit.log.append import now_ms
from audit.log.read import LoggedEvent, of_subject
from portal.findings.models import Finding

NAMES = ("finding.answered", "finding.retest_asked", "finding.retested")
PATIENCE_MS = 10 * 60_000  # after which it may be asked for again


@dataclass(frozen=True)
class Retest:
    """The last one since the answer: asked for, and what came of it."""

    asked: LoggedEvent | None = None
    done: LoggedEvent | None = None

    @property
    def ok(self) -> bool:
        """Whether it passed."""
        return self.done is not None and bool(self.done.fields["retest_ok"])

    @property
    def waits(self) -> bool:
        """Asked for, and no result yet."""
        return self.asked is not None and self.done is None and now_ms() - self.asked.at < PATIENCE_MS

    @property
    def says(self) -> str:
        """The result in a sentence."""
        return str(self.done.fields["says"]) if self.done else ""


def last_retest(row: Finding) -> Retest:
    """Of the answer that stands. One query."""
    found = Retest()
    for event in of_subject(row.log_subject, NAMES):
        if event.name == "finding.answered":
            found = Retest()
        elif event.name == "finding.retest_asked":
            found = Retest(asked=event)
        elif found.asked is not None and event.fields["retest_id"] == found.asked.fields["retest_id"]:
            found = Retest(found.asked, event)
    return found


def passed(row: Finding) -> bool:
    """Whether the control test passed since the answer."""
    return last_retest(row).ok


def waits(row: Finding) -> bool:
    """Whether a result is being waited for."""
    return last_retest(row).waits
