"""Alerts, looking, packs and dossiers, keys and erasure."""

from audit.events.spec import family

LOST = "lost_id:id from_at:time to_at:time first:int? last:int? checkpoint? acknowledged:list"

EVENTS = family(
    ("alert.queued", "Somebody is to be told.", "alert_id:id recipient_id:id channel kind grant_id:id? about_id:id? receipts:bool"),
    ("alert.sent", "An alert left the portal.", "alert_id:id recipient_id:id channel kind grant_id:id? receipts:bool sent_at:time attempts:int delivered_at:time?"),
    ("alert.failed", "An alert could not be sent; it stays queued.", "alert_id:id recipient_id:id channel kind attempts:int code"),
    ("alert.seen", "The recipient had the alert, or what it leads to, before them on a page.", "alert_id:id recipient_id:id grant_id:id?"),
    ("alert.acknowledged", "The recipient said that they have seen it.", "alert_id:id recipient_id:id grant_id:id? over?"),
    ("alert.act_refused", "An act on an alert was refused.", "act code kind sentence"),
    ("list.downloaded", "A list was taken away as a file.", "person_id:id list rows:int query*?"),
    ("search.saved", "A search of a list was saved.", "search_id:id list name* query* shared:bool"),
    ("search.removed", "A saved search was removed.", "search_id:id list"),
    ("search.act_refused", "An act on a saved search was refused.", "act code kind sentence"),
    ("page.viewed", "Somebody looked at a record.", "person_id:id page about_id:id? quarter:time"),
    ("page.act_refused", "Looking was refused.", "act code kind sentence"),
    ("pack.requested", "An evidence pack was asked for.", "pack_id:id period_start:time period_end:time systems:list frameworks:list purpose*?"),
    ("pack.made", "An evidence pack was made.",
     "pack_id:id log_size:int log_root position_at:time pdf_sha256 unsigned_sha256 facts_sha256 catalogue_sha256 pages:int bytes:int populations:list results:map signer:text?"),
    ("pack.failed", "An evidence pack could not be made.", "pack_id:id code sentence"),
    ("pack.downloaded", "An evidence pack was downloaded.",
     "pack_id:id person_id:id in_role_and_scope:bool purpose_given:bool link_expires_at:time? redaction_profile required_profile"),
    ("pack.act_refused", "An act on a pack was refused.", "act code kind sentence"),
    ("dossier.made", "The dossier of a case was made.",
     "dossier_id:id grant_id:id? occasion log_size:int log_root pdf_sha256 bytes:int verdict recipients:list"),
    ("dossier.failed", "The dossier of a case could not be made.", "occasion code sentence"),
    ("dossier.downloaded", "The dossier of a case was downloaded.", "dossier_id:id person_id:id"),
    ("dossier.act_refused", "An act on a dossier was refused.", "act code kind sentence"),
    ("key.added", "A key of the portal came into use.", "key_id:id kind public narrows:bool changed_by:id beneficiary_id:id? approved_by:id? approved_at:time? effective_at:time"),
    ("personal_value.erased", "A personal value was erased.", "event_id:id field basis erasure_id:id?"),
    ("reconciliation.compared", "Live tables were held against the log.", "system_id:id? ok:bool differences:list"),
    ("log.checked", "The log was checked against itself and against what is published.",
     "ok:bool size:int checkpoints:int published:int? unreachable:bool? personal:int erased:int waiting:int took_ms:int"),
    ("log.damage_found", "A check of the log found damage.", "size:int damages:list"),
    ("log.refused", "The log could not be written for a while.", "from_at:time to_at:time count:int"),
    ("log.recovered", "Entries that the database had lost came back from what is published.", "first:int last:int from_at:time to_at:time"),
    ("log.loss_reported", "Signing a range of the log as lost waits for a second administrator.", LOST + " reason*"),
    ("log.loss_declined", "A range of the log is not signed as lost.", "lost_id:id asked_by:id"),
    ("log.range_lost", "Two people say that a range of the log, acknowledged once, is lost.", LOST + " reason* asked_by:id approved_by:id"),
    ("log.loss_act_refused", "An act on a lost range of the log was refused.", "act code kind sentence"),
)  # fmt: skip
