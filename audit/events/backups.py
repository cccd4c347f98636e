"""Backups, and rehearsals of restoring them. No field is personal: places, sizes, hashes and sentences of the portal's own."""

from audit.events.spec import family

EVENTS = family(
    ("backup.made", "A backup was made; it holds the log up to a size, and the portal's rows of one moment.",
     "backup_id size:int log_root rows:int values:int files:int bytes:int took_ms:int place manifest_sha256 outage_from:time? not_cut?"),
    ("backup.failed", "No backup could be made. Said once for an outage, which ends with the next backup that is made.",
     "code sentence kept to_do place last_at:time?"),
    ("backup.late", "No backup was made, or no restore rehearsed, for too long, and nothing said why.",
     "what due_at:time last_at:time? sentence to_do"),
    ("backup.rehearsed", "A backup was restored into an empty database, and holds what the log says of it.",
     "backup_id made_at:time size:int log_root rows:int values:int took_ms:int missing:int missing_from:time? erased:int outage_from:time?"),
    ("backup.rehearsal_failed", "A backup could not be restored for trial, or holds something else than the log says of it.",
     "backup_id? code sentence kept to_do"),
)  # fmt: skip
