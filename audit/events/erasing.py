"""Legal holds, erasure of personal values, and what the passing of time lets go."""

from audit.events.spec import family

HOLD = "hold_id:id person_id:id? case_id:id?"
ERASURE = "erasure_id:id person_id:id"
CUT = "cut_id:id minimum_index:int"

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
    ("retention.set", "How many days each class of event is kept at least.", "terms:map"),
    ("personal_values.expired", "What was personal in these entries is erased, since its time had come.", "kind before:time event_ids:list"),
    ("cut.proposed", "Cutting old entries waits for a second administrator.", CUT + " reason*"),
    ("cut.approved", "A second administrator said that old entries are cut.", CUT + " asked_by:id approved_by:id"),
    ("cut.declined", "Old entries are not cut.", CUT + " asked_by:id why?"),
    ("log.cut", "From here on the log begins later: what stood before was kept for its time.",
     CUT + " from_index:int from_at:time to_at:time keep_until:time asked_by:id approved_by:id reason*"),
    ("cut.portion_removed", "Some of the old entries are removed from the database.", CUT + " entries:int values:int"),
    ("cut.done", "The old entries are gone; the hashes of all of them stay.", CUT + " asked_by:id approved_by:id entries:int values:int cases:int stayed:int"),
    ("cut.act_refused", "An act on a cut was refused.", "act code kind sentence"),
)  # fmt: skip
