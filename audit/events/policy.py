"""Policy versions of a system."""

from audit.events.spec import family
from audit.events.systems import RULE

VERSION = "policy_id:id system_id:id number:int sha256 document"

EVENTS = family(
    ("policy.proposed", "A new policy version waits for a second administrator.", VERSION + " written_by:id"),
    ("policy.approved", "A policy version is in force.", VERSION + " written_by:id approved_by:id approved_at:time effective_from:time review_due_at:time modes:list criteria:list figures:map replaces_id:id? " + RULE),
    ("policy.declined", "A proposed policy version was declined.", "policy_id:id system_id:id number:int"),
    ("policy.confirmed", "The version in force was looked at and still fits, unchanged.",
     "policy_id:id system_id:id number:int sha256 confirmed_by:id confirmed_at:time due_at:time note*"),
    ("policy.act_refused", "An act on a policy was refused.", "act code kind sentence"),
)  # fmt: skip
