"""A policy in force is looked at again and left as it is (T-48). The version stays untouched; each look has a row, an event and a next date of its own."""

from audit.log.append import Actor, action, append
from portal.clock import ms, now
from portal.errors import NotAllowed, RefusedByPolicy, WrongState
from portal.people.strength import need_fresh
from portal.policy.actions import may_change_policy
from portal.policy.models import PolicyConfirmation, PolicyVersion
from portal.rows import lock_row
from portal.systems.models import System


def may_confirm(by: Actor, version: PolicyVersion) -> None:
    """Ask who may say that it still fits, as for agreeing to it: an administrator of the system who did not write it. Nor twice in a row the same one.

    Raises:
        NotAllowed: of kind ``own policy`` for its writer, and ``looked last`` for who looked at it last.
    """
    may_change_policy(by, version.system)
    if str(version.written_by_id) == by.id:
        raise NotAllowed("Another administrator than the writer looks at a policy.", about=version, kind="own policy")
    last = version.confirmations.first()
    if last is not None and str(last.confirmed_by_id) == by.id:
        raise NotAllowed(
            "You looked at it last. Another administrator does so now, or a new version is written.", about=version, kind="looked last"
        )  # fmt: skip


@action(event="policy.confirmed", refused="policy.act_refused")
def confirm(*, by: Actor, version: PolicyVersion, note: str) -> PolicyConfirmation:
    """Say that the version in force was looked at and still fits, unchanged. The next look is due after as long as the version gave itself at first.

    Raises:
        NotAllowed, StepUpNeeded: see `may_confirm`; or not freshly confirmed.
        WrongState: the version is not in force.
        RefusedByPolicy: nothing is said of what was looked at.
    """
    lock_row(System, version.system_id)  # whoever brings another version into force locks it too
    locked = PolicyVersion.objects.select_related("system").get(pk=version.pk)
    may_confirm(by, locked)
    need_fresh(by, about=locked)
    if not locked.effective_from or locked.effective_to:
        raise WrongState("Only the version in force is looked at again. This one does not hold.", about=locked)
    if not note.strip():
        raise RefusedByPolicy("Say what you looked at.", about=locked)
    at = now()
    due = at + (locked.review_due_at - locked.written_at)
    made = PolicyConfirmation.objects.create(
        version=locked, confirmed_by_id=by.id, at=at, due_at=due, note=note.strip()
    )
    append(
        "policy.confirmed", by=by, subject=locked.log_subject, policy_id=locked.pk, system_id=locked.system_id, number=locked.number,
        sha256=locked.sha256, confirmed_by=by.id, confirmed_at=ms(at), due_at=ms(due), note=made.note,
    )  # fmt: skip
    return made
