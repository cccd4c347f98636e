"""Emergency stops: nothing is opened on a system, or without a system on any."""

from audit.events.spec import family

EVENTS = family(
    ("stop.started", "An emergency stop began.", "stop_id:id system_id:id? reason*"),
    ("stop.lift_asked", "Lifting an emergency stop waits for a second person.", "stop_id:id system_id:id? reason*"),
    ("stop.lift_declined", "An emergency stop stays in force although lifting was asked for.", "stop_id:id system_id:id? asked_by:id reason*?"),
    ("stop.lifted", "An emergency stop was lifted by two people.",
     "stop_id:id system_id:id? asked_by:id approved_by:id started_at:time lifted_at:time"),
    ("stop.act_refused", "An act on an emergency stop was refused.", "act code kind sentence"),
)  # fmt: skip
