"""Legal holds, erasure of personal values, and what the passing of time lets go."""

from audit.events.spec import family

HOLD = "hold_id:id person_id:id? case_id:id?"
ERASURE = "erasure_id:id person_id:id"

EVENTS = family(
    ("hold.set", "Nothing of a person, or of a case, is erased from now on.", HOLD + " reason*"),
    ("hold.lift_asked", "Lifting a legal hold waits for a second administrator.", HOLD + " reason*"),
    ("hold.kept", "A legal hold stays although lifting was asked for.", HOLD + " asked_by:id"),
    ("hold.lifted", "A legal hold was lifted by two people.", HOLD + " asked_by:id approved_by:id"),
    ("hold.act_refused", "An act on a legal hold was refused.", "act code kind sentence"),
    ("erasure.asked", "Erasing a person's values waits for a second administrator.", ERASURE + " basis reason*"),
    ("erasure.declined", "A person's values are not erased.", ERASURE + " asked_by:id"),
    ("erasure.confirmed", "A second administrator confirmed that a person's values are erased.", ERASURE + " basis asked_by:id approved_by:id"),
    ("erasure.done", "A person's values are erased; the proofs stay.", ERASURE + " basis asked_by:id approved_by:id values:int rows:map"),
    ("erasure.act_refused", "An act on an erasure was refused.", "act code kind sentence"),
)  # fmt: skip
