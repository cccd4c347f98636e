"""The verdict on one window. Pure: it looks at evidence only, and no explanation can improve it.

``complete`` needs all of: a counting scheme, every number there once, heartbeats before and after, a loss counter that did not move, logging
settings that did not change unseen, the lateness mark passed, every session explained. What misses is a gap; what cannot be told is unknown.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from audit.completeness.evidence import Beat, Evidence, Gap, Loss, Scheme, SessionSeen, SettingChange, Verdict, Window
from audit.completeness.words import clock
from audit.sources.records import NOT_SHOWN

LIMIT = "What a source never numbered cannot be shown: what functions did inside, rows that were read, data of COPY."
NONE = "none"
MUTED = "When the access was closed, the target did not log the statements of this login any more; since when, nobody knows."
COUNTED_ANEW = "The target's own count of sessions began anew or went back, so a whole session may be missing unseen; between the heartbeats of"
TOO_MANY = "Not all of this was read, since there is too much of it around the window:"


@dataclass(frozen=True)
class Look:
    """What a rule looks at. ``window`` holds every time of the target's clock that may belong to it."""

    window: Window
    scheme: Scheme
    evidence: Evidence
    before: Beat | None
    after: Beat | None


def judge(window: Window, scheme: Scheme, evidence: Evidence, now: int) -> Verdict:
    """What can be said of the window at ``now``."""
    if scheme.counting == NONE:
        return _without_numbers(evidence)
    if evidence.unread:
        return Verdict("unknown", reasons=tuple(f"{TOO_MANY} {what}." for what in evidence.unread))
    before, after = _around(window, scheme, evidence.beats)
    apart = _apart(scheme, before, after)
    look = Look(_widened(window, apart), scheme, evidence, before, after)
    gaps = [gap for rule in RULES for gap in rule(look)]
    if gaps:
        return Verdict("gap", _once(gap.range for gap in gaps), _once(gap.reason for gap in gaps))
    if before is None:
        return Verdict(
            "unknown",
            reasons=("No heartbeat came back before the window, so nobody knows whether the log was read then.",),
        )
    if after is None:
        return _silence(window, scheme, now)
    if not window.statement_logging:
        return Verdict("not covered", reasons=("The target did not log the statements of this login.",))
    if not window.logged_at_end:
        return Verdict("not covered", reasons=(MUTED,))
    if window.superuser:
        return Verdict(
            "unknown",
            reasons=(
                "The privilege may turn logging off; the numbers are dense, and statements may be missing unseen.",
            ),
        )
    if _counted_anew(before, after):
        return Verdict("unknown", reasons=(f"{COUNTED_ANEW} {clock(_seen_at(before))} and {clock(_seen_at(after))}.",))
    return Verdict("complete", reasons=(*_complete(evidence.sessions, before, after), *_clocks(apart), LIMIT))


def mark_of(window: Window, scheme: Scheme) -> int:
    """The lateness mark: later than this nothing of the window can be written any more."""
    return window.settled_at + scheme.lateness_ms


def _around(window: Window, scheme: Scheme, beats: tuple[Beat, ...]) -> tuple[Beat | None, Beat | None]:
    """The last heartbeat before the window, and the first behind the lateness mark, in the order in which they were sent."""
    mark, sent = mark_of(window, scheme), sorted(beats, key=_sent_at)
    before = next((beat for beat in reversed(sent) if beat.before(window.from_at)), None)
    return before, next((beat for beat in sent if beat.behind(mark)), None)


def _seen_at(beat: Beat) -> int:
    return beat.seen_at or 0


def _sent_at(beat: Beat) -> int:
    return beat.sent_at or 0


def _apart(scheme: Scheme, before: Beat | None, after: Beat | None) -> tuple[int, int]:
    """How far the target's clock was behind the portal's and ahead of it; what lateness explains is nothing."""
    found = [_seen_at(beat) - _sent_at(beat) for beat in (before, after) if beat]
    told = [0, *(apart for apart in found if abs(apart) > scheme.lateness_ms)]
    return min(told), max(told)


def _widened(window: Window, apart: tuple[int, int]) -> Window:
    """Records carry the target's time, the window has the portal's: all times of the target that may belong to it."""
    return replace(window, from_at=window.from_at + apart[0], settled_at=window.settled_at + apart[1])


def _clocks(apart: tuple[int, int]) -> list[str]:
    furthest = max(apart, key=abs)
    if not furthest:
        return []
    way = "ahead of" if furthest > 0 else "behind"
    return [
        f"The target's clock was {abs(furthest) / 1000:.3f} seconds {way} the portal's, and that much more was looked at."
    ]


def _without_numbers(evidence: Evidence) -> Verdict:
    """A source that numbers nothing is covered only by a count that the target kept on its own."""
    if evidence.counts is None:
        return Verdict("not covered", reasons=("The source numbers nothing, or its log is out of reach.",))
    counted, read = evidence.counts
    if counted == read:
        return Verdict("reconciled", reasons=(f"The target counted {counted}, and {read} were read.", LIMIT))
    return Verdict("gap", ("count",), (f"The target counted {counted}, and {read} were read.",))


def _silence(window: Window, scheme: Scheme, now: int) -> Verdict:
    if now <= window.settled_at + scheme.lateness_ms + scheme.patience_ms:
        return Verdict(
            "pending", reasons=("No heartbeat has come back since the window ended; records may still come.",)
        )
    return Verdict(
        "unknown", reasons=("No heartbeat came back after the window. Silence is not the absence of activity.",)
    )


def _complete(sessions: tuple[SessionSeen, ...], before: Beat, after: Beat) -> list[str]:
    said = [f"Heartbeats came back at {clock(_seen_at(before))} and at {clock(_seen_at(after))}."]
    if not sessions:
        return [*said, "No session of the grant was seen, and nothing is missing in which one could have been."]
    counted = sum(each.last_number or 0 for each in sessions)
    many = "1 session" if len(sessions) == 1 else f"{len(sessions)} sessions"
    return [*said, f"{many}, {counted} numbered lines, each there once, from the connection to its end."]


# --- rules: each gives the gaps that it finds


def _lost(look: Look) -> list[Gap]:
    """Losses that touch the window; another connection that was cut loses no line of this grant."""
    return [Gap(_where(loss), loss.says) for loss in look.evidence.losses if _concerns(loss, look.window)]


def _concerns(loss: Loss, window: Window) -> bool:
    if window.grant_id and loss.grant_id == window.grant_id:
        return True
    if window.kind == "grant" and loss.kind == "session_cut":
        return False
    return loss.from_at <= window.settled_at and loss.to_at >= window.from_at


def _where(loss: Loss) -> str:
    if loss.session and loss.numbers:
        return f"session {loss.session}: {loss.numbers}"
    return _span(loss.from_at, loss.to_at)


def _not_ended(look: Look) -> list[Gap]:
    """A session of the grant that is not whole. Without its end it is a gap once the log has gone on."""
    found = []
    for each in look.evidence.sessions:
        found += [
            Gap(f"session {each.name}: {numbers}", f"Numbers {numbers} of session {each.name} never came.")
            for numbers in each.missing
        ]
        tail = f"session {each.name}: after {each.last_number}" if each.last_number else f"session {each.name}: its end"
        if each.state == "cut":
            found.append(Gap(tail, f"Session {each.name} has no end in the log; what came last cannot be shown."))
        elif each.ended_at is None and look.after is not None:
            found.append(Gap(tail, f"Session {each.name} has no end in the log, and later lines are there."))
    return found


def _settings(look: Look) -> list[Gap]:
    """Less may have been logged: a setting stood low in the window, or changed without a line that says so."""
    found = [
        Gap(
            _span(max(change.at, look.window.from_at), look.window.settled_at),
            _stood_low(change),
        )
        for change in _weak(look.window, look.evidence.settings)
    ]
    return found + _changed_unseen(look)


def _stood_low(change: SettingChange) -> str:
    if change.setting == NOT_SHOWN:
        return f"At {clock(change.at)} a session may have changed what is logged; its statement does not show which setting."
    value = "a value that is not shown" if change.value == "?" else change.value
    return f"From {clock(change.at)} on, {change.setting} was {value}."


def _changed_unseen(look: Look) -> list[Gap]:
    """The settings as the portal read them differ, and the log tells of no change of one of them for the whole server."""
    before, after = look.before, look.after
    if before is None or after is None or "" in (before.settings_sha256, after.settings_sha256):
        return []
    told = any(
        _seen_at(before) <= change.at <= _seen_at(after)
        for change in look.evidence.settings
        if not change.session and change.setting in look.scheme.compared
    )
    if told or before.settings_sha256 == after.settings_sha256:
        return []
    span = _span(_seen_at(before), _seen_at(after))
    return [Gap(span, "The target's logging settings changed, and no line of its log says so.")]


def _weak(window: Window, changes: tuple[SettingChange, ...]) -> list[SettingChange]:
    """Changes that weaken: in the window, or of the whole server before it and not taken back until it began."""
    return [change for change in changes if change.weakens and _stood(change, window, changes)]


def _stood(change: SettingChange, window: Window, changes: tuple[SettingChange, ...]) -> bool:
    if change.session or change.at >= window.from_at:
        return window.from_at <= change.at <= window.settled_at
    back = min((other.at for other in changes if _takes_back(other, change)), default=None)
    return back is None or back > window.from_at


def _takes_back(other: SettingChange, change: SettingChange) -> bool:
    return (
        other.setting == change.setting
        and other.session == change.session
        and other.at > change.at
        and not other.weakens
    )


def _beats_lost(look: Look) -> list[Gap]:
    """A heartbeat that was sent and did not come back although a later one did: a line was lost between them."""
    if look.before is None or look.after is None:
        return []
    since, until = _sent_at(look.before), _sent_at(look.after)
    missed = [beat.sent_at for beat in look.evidence.beats if beat.seen_at is None and beat.sent_at is not None]
    return [
        Gap(_span(at, at), f"The heartbeat of {clock(at)} never came back, and later ones did.")
        for at in missed
        if since < at < until
    ]


def _sessions_lost(look: Look) -> list[Gap]:
    """The target's own count of sessions grew by more than the logins that were read: a whole session is missing.

    A login may be counted a moment after it was logged, never before; so the largest difference on each side is
    compared, within one life of the target's statistics.
    """
    if look.before is None or look.after is None:
        return []
    before, after = look.before, look.after
    counted = [beat for beat in look.evidence.beats if None not in (beat.seen_at, beat.counted, beat.authorized)]
    same = [beat for beat in counted if beat.stats_epoch == after.stats_epoch]
    later = [_difference(beat) for beat in same if _sent_at(beat) >= _sent_at(after)]
    earlier = [_difference(beat) for beat in same if _sent_at(beat) <= _sent_at(before)]
    lost = max(later) - max(earlier) if earlier and later else 0
    if lost <= 0:
        return []
    many = "1 session more" if lost == 1 else f"{lost} sessions more"
    return [Gap(_span(_seen_at(before), _seen_at(after)), f"The target counted {many} than the log shows.")]


def _counted_anew(before: Beat, after: Beat) -> bool:
    """Whether the two counts are none of one life of the target's statistics; a target that never counted is another matter."""
    if before.counted is None or after.counted is None:
        return False
    return before.stats_epoch != after.stats_epoch or after.counted < before.counted


def _difference(beat: Beat) -> int:
    return (beat.counted or 0) - (beat.authorized or 0)


def _unexplained(look: Look) -> list[Gap]:
    """A session that could act as a privilege and that nothing explains: what it did is tied to nobody."""
    return [
        Gap(f"session {each.name}", f"Session {each.name} of {clock(each.started_at)}: {WHY.get(each.why, each.why)}.")
        for each in look.evidence.unmatched
        if look.window.from_at <= each.started_at <= look.window.settled_at
    ]


WHY = {
    "no_grant": "its login is a grant's, and no such grant is known",
    "grant_over": "its login is a grant's that was over already",
    "not_held": "its login is a sealed account, and nobody held it",
    "undeclared_login": "its login may act as a privilege, and neither a grant nor a declared account explains it",
}
RULES = (_lost, _not_ended, _settings, _beats_lost, _sessions_lost, _unexplained)


def _span(from_at: int, to_at: int) -> str:
    return f"{clock(from_at)} to {clock(to_at)}" if from_at != to_at else clock(from_at)


def _once(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))
