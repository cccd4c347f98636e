"""Every column of the database that can hold a text, and what an erasure does with it. A test holds it against the database itself.

What people typed is cut out of others' texts only where people type freely (`WORDS`). What programs act on is never written into: a word that somebody
typed ("approved", "postgresql") stands there with another meaning.
"""

from collections.abc import Mapping

WORDS = "their words, name and mail address are cut out"
NAMES = "their name and mail address are cut out"
OWN = "of their own rows it is emptied, deleted, or shows their pseudonym; others' rows are left alone"
DECIDED = "a file is laid aside when it names them"
LOG = "of the log: values are deleted with an event each, entries hold none in clear"
CODE = "a code, an id or a key of the portal's own"
SECRET = "encrypted, hashed or random"  # noqa: S105 - what a column is, no secret
ACTED_ON = "programs act on it, or a hash of it is in the log; nobody is named there (docs/operate.md)"
NOT_OURS = "Django's own; nothing of people"
NOBODY = "counts, hashes and ids of the audit's own; names of people stand in the log alone"

CLEARED = (WORDS, NAMES)
_LISTED: Mapping[str, Mapping[str, str]] = {
    "portal_person": {OWN: "name email password time_zone unit"},
    "portal_signin": {OWN: "address agent", CODE: "ended_cause factor", SECRET: "browser_key"},
    "portal_passkey": {OWN: "name credential_id public_key transports"},
    "portal_passkeychallenge": {SECRET: "browser_key value", CODE: "purpose"},
    "portal_savedsearch": {OWN: "list", NAMES: "name query"},
    "portal_attempts": {CODE: "key"},
    "portal_accessrequest": {WORDS: "reason", NAMES: "incident_ref", CODE: "category criterion factor intended_classes mode state"},
    "portal_approval": {WORDS: "comment", CODE: "decision factor group"},
    "portal_question": {WORDS: "text answer"},
    "portal_extension": {WORDS: "reason", CODE: "decision"},
    "portal_factorreset": {WORDS: "reason", CODE: "state"},
    "portal_finding": {WORDS: "details cause response proof", NAMES: "title", CODE: "about case kind state test_id"},
    "portal_item": {WORDS: "reason", NAMES: "label facts privilege_name", CODE: "state subject subject_kind"},
    "portal_acceptance": {WORDS: "note", CODE: "activities kind session"},
    "portal_policyconfirmation": {WORDS: "note"},
    "portal_privacydecision": {WORDS: "reason delay_reason"},
    "portal_review": {WORDS: "second_words answers", CODE: "outcome reminded state"},
    "portal_stop": {WORDS: "reason lift_reason", CODE: "state"},
    "portal_legalhold": {WORDS: "reason lift_reason", CODE: "state"},
    "portal_lostrange": {WORDS: "reason", CODE: "acknowledged state", ACTED_ON: "checkpoint"},
    "portal_alert": {WORDS: "facts", NAMES: "address last_trouble", CODE: "about acknowledged_over attachment case channel kind path"},
    "portal_erasure": {NAMES: "reason", CODE: "basis state"},
    "portal_cut": {NAMES: "reason trouble", CODE: "state"},
    "portal_system": {NAMES: "name way_in", ACTED_ON: "settings slug", CODE: "connector criticality", SECRET: "secret"},
    "portal_privilege": {NAMES: "name description", ACTED_ON: "on_target"},
    "portal_proposedchange": {NAMES: "after", CODE: "decision kind", SECRET: "secret"},
    "portal_policyversion": {ACTED_ON: "document sha256"},
    "portal_roleassignment": {CODE: "ended_by ended_cause group role"},
    "portal_eligibility": {CODE: "ended_by ended_cause"},
    "portal_duty": {CODE: "kind subject_kind"},
    "portal_campaign": {NAMES: "second_says statement", CODE: "kind reminded second_source state", ACTED_ON: "snapshot_sha256"},
    "portal_snapshot": {NAMES: "text"},
    "portal_drill": {NAMES: "steps"},
    "portal_sealedaccount": {NAMES: "name location shut_trouble", ACTED_ON: "account", CODE: "kept_by state", SECRET: "secret next_secret"},
    "portal_rotation": {NAMES: "last_trouble", CODE: "cause rotated_by state tested_by"},
    "portal_offlineset": {CODE: "state question", SECRET: "drill_key password"},
    "portal_offlinecard": {CODE: "letter", SECRET: "share"},
    "portal_grant": {NAMES: "last_trouble", ACTED_ON: "before login marker marker_ref", CODE: "end_cause state", SECRET: "nonce secret verifier"},
    "portal_receiver": {NAMES: "name", ACTED_ON: "host", CODE: "topics", SECRET: "url secret old_secret"},
    "portal_personnellist": {NAMES: "query outcome", DECIDED: "content", CODE: "asked_by decided_by read_by sha256 state"},
    "portal_listing": {NAMES: "answer", ACTED_ON: "answer_sha256"},
    "portal_changerecord": {NAMES: "reference", CODE: "disposition kinds"},
    "portal_sitting": {CODE: "opened spans"},
    "portal_rota": {NAMES: "name", CODE: "members zone"},
    "portal_swap": {CODE: "state"},
    "portal_intakeposition": {CODE: "reader"},
    "audit_case_row": {NAMES: "incident privilege system words", CODE: "case deciders mode people responder_id status system_id verdict"},
    "audit_act_row": {CODE: "activity_id case kind outcome session_id state_code"},
    "audit_act_session": {NOBODY: "case name session_id"},
    "audit_event": {LOG: "name by case subject body"},
    "audit_personal_value": {LOG: "field salt value"},
    "audit_sealed_entry": {LOG: "leaf_hash"},
    "audit_tile": {LOG: "hashes"},
    "audit_checkpoint": {LOG: "note root"},
    "audit_cosignature": {LOG: "line witness"},
    "audit_timestamp": {LOG: "about answer authority sha256"},
    "audit_heartbeat": {NOBODY: "detail process"},
    "audit_page_view": {NOBODY: "about person"},
    "audit_pack": {NOBODY: "counts frameworks gone_why results sha256 signer stage systems trouble"},
    "audit_dossier": {NOBODY: "gone_why occasion people sha256 trouble verdict"},
    "audit_source_position": {NOBODY: "head position trouble"},
    "audit_counted_session": {NOBODY: "session state"},
    "auditlog_logentry": {NAMES: "changes changes_text object_repr serialized_data additional_data actor_email", CODE: "cid object_pk remote_addr"},
    "auth_group": {NOT_OURS: "name"},
    "auth_permission": {NOT_OURS: "codename name"},
    "django_content_type": {NOT_OURS: "app_label model"},
    "django_migrations": {NOT_OURS: "app name"},
    "django_session": {OWN: "session_data", SECRET: "session_key"},
    "otp_static_staticdevice": {OWN: "name"},
    "otp_static_statictoken": {OWN: "token"},
    "otp_totp_totpdevice": {OWN: "key name"},
}  # fmt: skip
COLUMNS: Mapping[str, Mapping[str, str]] = {
    table: {column: way for way, columns in ways.items() for column in columns.split()}
    for table, ways in _LISTED.items()
}
"""Table to column to what is done with it."""


def cleared(table: str) -> dict[str, bool]:
    """The columns of a table that are cleared, each with whether what people typed is looked for there as well."""
    return {column: way == WORDS for column, way in COLUMNS[table].items() if way in CLEARED}
