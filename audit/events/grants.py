"""The opening that follows, and its end."""

from audit.events.spec import family

EVENTS = family(
    ("grant.authorised", "Access may be opened.", "grant_id:id person_id:id system_id:id privilege_id:id number:int mode minutes:int policy_sha256 exposes_secret:bool account_id:id?"),
    ("grant.opening", "The portal is about to open the target.", "grant_id:id attempt:int login marker expires_at:time"),
    ("grant.activated", "Access is open.",
     "grant_id:id person_id:id system_id:id privilege_id:id login marker marker_ref opened_at:time provisioned_at:time expires_at:time statement_logging:bool "
     "superuser:bool exposes_secret:bool sealed_index:int? sealed_size:int? unsealed:bool? witnessed:bool? snapshot_sha256:text? warnings:list? review_due_hours:int account_id:id?"),
    ("grant.opening_failed", "An attempt to open failed.", "grant_id:id attempt:int code sentence again:bool"),
    ("grant.failed", "Access was not opened.", "grant_id:id code sentence ended_at:time ended_by:id? reason*?"),
    ("grant.revealed", "The password was shown to the responder.", "grant_id:id person_id:id exposes_secret:bool? account_id:id?"),
    ("grant.extension_asked", "The responder asked for more time.", "grant_id:id extension_id:id minutes:int reason*?"),
    ("grant.extended", "More time was given.", "grant_id:id extension_id:id minutes:int expires_at:time asked_by:id approved_by:id reason*?"),
    ("grant.extension_declined", "More time was not given.", "grant_id:id extension_id:id comment*?"),
    ("grant.extension_applied", "The target carries the later end.", "grant_id:id extension_id:id expires_at:time"),
    ("grant.returned", "The responder is done.", "grant_id:id ended_at:time over_at:time ended_by:id"),
    ("grant.expired", "The time is over.", "grant_id:id ended_at:time over_at:time"),
    ("grant.revoked", "Somebody else ended the access.", "grant_id:id ended_at:time over_at:time ended_by:id reason*? cause"),
    ("grant.closing", "The portal is about to close the target.", "grant_id:id attempt:int"),
    ("grant.close_failed", "An attempt to close failed; access may still be live.", "grant_id:id attempt:int code sentence"),
    ("grant.read_back", "The target was read after closing.",
     "grant_id:id system_id:id clear:bool read_at:time removed_at:time? read_back_from remainders:list remainder_details*? drift:list drift_details*? sessions_ended:int attempt:int "
     "statement_logging:bool?"),
    ("grant.ended", "Access is gone; the target confirmed it.",
     "grant_id:id person_id:id system_id:id cause ended_at:time over_at:time removed_at:time confirmed_at:time read_back_from review_due_at:time?"),
    ("grant.act_refused", "An act on a grant was refused.", "act code kind sentence"),
)  # fmt: skip
