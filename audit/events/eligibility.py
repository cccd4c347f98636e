"""Roles and eligibilities: the pre-authorised lists."""

from audit.events.spec import family
from audit.events.systems import RULE

ROLE = "role_id:id person_id:id role system_id:id? lent_by:id? group:text?"
ELIGIBILITY = "eligibility_id:id person_id:id system_id:id privilege_id:id"

EVENTS = family(
    ("role.proposed", "A role waits for a second administrator.", ROLE + " from_at:time to_at:time?"),
    ("role.granted", "A person holds a role.", ROLE + " granted_by:id granted_at:time to_at:time? " + RULE),
    ("role.declined", "A proposed role was declined.", ROLE),
    ("role.ended", "A role ended.", ROLE + " ended_at:time cause " + RULE),
    ("role.shortened", "A role ends earlier.", ROLE + " to_at:time " + RULE),
    ("role.act_refused", "An act on a role was refused.", "act code kind sentence"),
    ("eligibility.proposed", "An eligibility waits for a second person.", ELIGIBILITY + " expires_at:time?"),
    ("eligibility.granted", "A person is on the list for a privilege.", ELIGIBILITY + " granted_by:id granted_at:time expires_at:time? " + RULE),
    ("eligibility.declined", "A proposed eligibility was declined.", ELIGIBILITY),
    ("eligibility.revoked", "A person left the list for a privilege.", ELIGIBILITY + " revoked_at:time cause " + RULE),
    ("eligibility.shortened", "An eligibility ends earlier.", ELIGIBILITY + " expires_at:time " + RULE),
    ("eligibility.reconfirmed", "An eligibility was kept after a look at it.", ELIGIBILITY),
    ("eligibility.act_refused", "An act on an eligibility was refused.", "act code kind sentence"),
)  # fmt: skip
