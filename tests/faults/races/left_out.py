"""Actions that no race is about, each with the reason; what has neither fails the test."""

PART = "a part of another action, which locks for it: raced with it"
EACH_COUNTS = "each one counts: it decides nothing, and there is nothing that only one may have"
ONE_AT_A_TIME = "done by whoever holds the job's advisory lock, one at a time"
BY_A_JOB = "a step of a job, by a process alone; not raced"
OWN = "about the person alone, on their own locked row: each one takes the place of the one before"
CUT = "a log of more than a whole tile stands before it; as an erasure's, it is one compare-and-set on a locked row, and one may wait at a time"
ELSEWHERE = "raced by a test of its own"

LEFT_OUT: dict[str, str] = {
    "audit.log.anchors.record_lost": BY_A_JOB,
    "audit.log.anchors.record_witnessed": BY_A_JOB,
    "audit.log.backup.hourly.note_failed": ONE_AT_A_TIME,
    "audit.log.backup.hourly.note_made": ONE_AT_A_TIME,
    "audit.log.backup.lateness.note_late": BY_A_JOB,
    "audit.log.backup.rehearsing.note_failed": ONE_AT_A_TIME,
    "audit.log.backup.rehearsing.note_rehearsed": ONE_AT_A_TIME,
    "audit.log.checking.record": EACH_COUNTS,
    "audit.log.guards.record": BY_A_JOB,
    "audit.log.lateness.note_late": ONE_AT_A_TIME,
    "audit.log.lateness.note_on_time": ONE_AT_A_TIME,
    "audit.log.locked.record": BY_A_JOB,
    "audit.log.timestamps.taking.keep": ONE_AT_A_TIME,
    "audit.log.timestamps.taking.record_failure": ONE_AT_A_TIME,
    "audit.log.viewing.look": EACH_COUNTS,
    "audit.log.viewing.look_at_all": EACH_COUNTS,
    "audit.log.viewing.take_away": EACH_COUNTS,
    "audit.log.viewing.take_list": EACH_COUNTS,
    "audit.packs.actions.download_dossier": EACH_COUNTS,
    "audit.packs.actions.download_pack": EACH_COUNTS,
    "audit.packs.actions.put_off": ONE_AT_A_TIME,
    "audit.packs.actions.record_failure": ONE_AT_A_TIME,
    "audit.packs.actions.record_pack": ONE_AT_A_TIME,
    "audit.packs.actions.request_pack": EACH_COUNTS,
    "audit.packs.dossiers.record": ONE_AT_A_TIME,
    "audit.packs.dossiers.record_failure": ONE_AT_A_TIME,
    "audit.packs.removing.remove": BY_A_JOB,
    "audit.packs.retests.record": ELSEWHERE,  # tests/portal/findings/test_retests.py
    "audit.packs.timestamps.keep": ONE_AT_A_TIME,
    "portal.access_requests.actions.approve": PART,
    "portal.access_requests.asking.declare_bypass": PART,
    "portal.access_requests.asking.pass_on": ELSEWHERE,  # tests/portal/access_requests/test_tiers.py
    "portal.campaigns.actions.remind_of_nobody": "as `remind`, which is raced",
    "portal.drills.actions.judge": ELSEWHERE,  # tests/portal/drills/test_drills.py
    "portal.duties.actions.remind": ELSEWHERE,  # tests/portal/duties/test_overdue.py
    "portal.duties.actions.tell_overdue": ELSEWHERE,  # likewise
    "portal.eligibility.actions.end_role": PART,
    "portal.eligibility.actions.revoke_eligibility": PART,
    "portal.eligibility.actions.shorten_eligibility": PART,
    "portal.eligibility.actions.shorten_role": PART,
    "portal.eligibility.actions.withdraw_role": PART,
    "portal.eligibility.one_time.give_one_time_password": OWN,
    "portal.eligibility.resetting.reset_on_host": EACH_COUNTS,
    "portal.erasing.carrying_cuts.finish": BY_A_JOB,
    "portal.erasing.carrying_cuts.say": BY_A_JOB,
    "portal.erasing.refused_cuts.turn_back": BY_A_JOB,
    "portal.erasing.carrying_out.finish": ONE_AT_A_TIME,
    "portal.erasing.cutting.approve": CUT,
    "portal.erasing.cutting.decline": CUT,
    "portal.erasing.cutting.propose": CUT,
    "portal.erasing.expiring.set_terms": EACH_COUNTS,
    "portal.findings.actions.raise_finding": ELSEWHERE,  # tests/portal/findings/test_intake.py
    "portal.findings.sweep.tell_abandoned": "as `remind`, which is raced",
    "portal.grants.ending.confirm": ONE_AT_A_TIME,
    "portal.grants.ending.record_remainder": ONE_AT_A_TIME,
    "portal.grants.ending.record_trouble": ONE_AT_A_TIME,
    "portal.grants.extending.applied": ONE_AT_A_TIME,
    "portal.grants.narrowing._end_left": "as `revoke`, which is raced",
    "portal.grants.opening.activate": ONE_AT_A_TIME,
    "portal.grants.opening.record_trouble": ONE_AT_A_TIME,
    "portal.grants.refusals.tell_of_openings": ELSEWHERE,  # tests/portal/grants/test_refusals.py
    "portal.grants.refusals.tell_of_sign_ins": ELSEWHERE,  # likewise
    "portal.grants.stopping._end_stopped": "as `revoke`, which is raced",
    "portal.notifications.actions.mark_failed": EACH_COUNTS,
    "portal.notifications.channels.webhook.actions.add": EACH_COUNTS,
    "portal.notifications.channels.webhook.actions.try_out": EACH_COUNTS,
    "portal.notifications.late.note_failed": ELSEWHERE,  # tests/portal/notifications/test_late.py
    "portal.people.actions.choose_password": OWN,
    "portal.people.actions.enrol_and_enter": "as `enrol_factor`, which is raced",
    "portal.people.actions.leave": PART,
    "portal.people.actions.make_recovery_codes": OWN,
    "portal.people.actions.open_sign_in": EACH_COUNTS,
    "portal.people.actions.refuse_sign_in": EACH_COUNTS,
    "portal.people.actions.strengthen": OWN,
    "portal.reconciliation.comparing.record": EACH_COUNTS,
    "portal.reconciliation.listings.record": EACH_COUNTS,
    "portal.reconciliation.listings.record_failure": EACH_COUNTS,
    "portal.reviews.actions.save": "what another window kept is not overwritten: tests/portal/reviews/test_sittings.py",
    "portal.rotas.actions.change": ELSEWHERE,  # tests/portal/rotas/test_rotas.py
    "portal.rotas.actions.retire": PART,
    "portal.rotas.actions.set_up": EACH_COUNTS,
    "portal.sealed.actions.check_in": PART,
    "portal.sealed.actions.check_out": PART,
    "portal.sealed.keeping.note_missing": ONE_AT_A_TIME,
    "portal.sealed.making.confirm": ONE_AT_A_TIME,
    "portal.sealed.making.note_missing": ONE_AT_A_TIME,
    "portal.sealed.making.prepare": ONE_AT_A_TIME,
    "portal.sealed.rotations.begin": ONE_AT_A_TIME,
    "portal.sealed.rotations.settle": ONE_AT_A_TIME,
    "portal.sealed.uses.burn": PART,
    "portal.sealed.uses.note_use": PART,
    "portal.stops.actions.start": PART,
    "portal.systems.actions.note_test": EACH_COUNTS,
    "portal.systems.actions.propose": EACH_COUNTS,
    "portal.systems.heartbeats.record": ELSEWHERE,  # tests/portal/reconciliation/test_heartbeats.py
}
