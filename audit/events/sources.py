"""What gather read from targets' logs, and what completeness says of it."""

from audit.events.spec import family

SOURCE = "source_id:id system_id:id"
WINDOW = (
    "window_id:id "
    + SOURCE
    + " kind grant_id:id? from_at:time to_at:time verdict reasons:list? ranges:list? read_to_index:int?"
)

EVENTS = family(
    ("source.epoch_started", "The target's server started.", SOURCE + " epoch started_at:time after session_count:int?"),
    ("source.heartbeat_seen", "A marked act came back through the target's own log.",
     SOURCE + " nonce seen_at:time epoch:text? session_id:id? source_number:int? authorized_seen:int? received_at:time"),
    ("source.loss_found", "Records are missing.",
     SOURCE + " kind from_at:time to_at:time session_id:id? source_session:text? grant_id:id? from_number:int? to_number:int? count:int? says:text?"),
    ("source.settings_changed", "A logging setting of the target changed.",
     SOURCE + " happened_at:time setting weakens:bool value:text? session_id:id? source_number:int?"),
    ("source.error_seen", "The target's log is out of reach.", SOURCE + " kind says:text?"),
    ("source.recovered", "The target's log is in reach again.", SOURCE + " kind says:text?"),
    ("session.started", "A connection on the target began.",
     "session_id:id " + SOURCE + " source_session grant_id:id? marker:text? login* database*? remote*? started_at:time received_at:time"),
    ("session.ended", "A connection on the target ended.",
     "session_id:id " + SOURCE + " source_session grant_id:id? ended_at:time last_number:int state missing:int missing_ranges:list? received_at:time"),
    ("session.refused", "A login on the target was refused.",
     "session_id:id " + SOURCE + " source_session grant_id:id? login*? remote*? happened_at:time outcome state_code:text? source_number:int received_at:time"),
    ("session.unmatched", "A connection that no grant explains.",
     "session_id:id " + SOURCE + " source_session marker:text? login* database*? remote*? started_at:time why received_at:time"),
    ("activity.recorded", "An action on the target, as its own log reports it.",
     "activity_id:id session_id:id " + SOURCE + " grant_id:id? person_id:id? privilege_id:id? class at_least:bool outcome state_code:text? happened_at:time zone_known:bool "
     "received_at:time source_number:int last_number:int? statement*? statement_length:int? object* raw_sha256 raw_salt*"),
    ("activity.outcome_learned", "The outcome of an action came later.",
     "activity_id:id session_id:id source_id:id grant_id:id? outcome state_code:text? happened_at:time source_number:int received_at:time raw_sha256 raw_salt*"),
    ("completeness.judged", "A window of a source was judged.", WINDOW),
    ("completeness.gap_found", "A window has a gap.", WINDOW),
)  # fmt: skip
