"""Sealed accounts: the register, who holds one, and new secrets. No secret is ever among the fields."""

from audit.events.spec import family
from audit.events.systems import RULE

ACCOUNT = "account_id:id system_id:id"
REGISTERED = ACCOUNT + " name account custodian_id:id kept_by location*"
ROTATION = "rotation_id:id " + ACCOUNT + " grant_id:id?"

EVENTS = family(
    ("sealed.proposed", "An account that is to be kept under seal waits for a second administrator.", REGISTERED),
    ("sealed.registered", "An account is kept under seal.", REGISTERED + " privilege_id:id " + RULE),
    ("sealed.declined", "A proposed sealed account was declined.", ACCOUNT),
    ("sealed.custodian_changed", "Another person keeps a sealed account. Second: the other card of two.",
     ACCOUNT + " custodian_id:id before_id:id second:bool?"),
    ("sealed.custodian_missing", "Who keeps a sealed account has left, or is no custodian any more; its owner is told.", ACCOUNT + " custodians:list"),
    ("sealed.retired", "A sealed account was taken out of use.", ACCOUNT + " left_on_target:bool? " + RULE),
    ("sealed.shut", "A sealed account that is out of use is shut on its target, which was asked afterwards.", ACCOUNT + " shut_at:time sessions_ended:int"),
    ("sealed.checked_out", "One person holds a sealed account. Secret_known: one that was shown before still works, so sessions may be of the earlier grants.",
     ACCOUNT + " person_id:id grant_id:id from_at:time secret_known:bool? earlier_grants:list?"),
    ("sealed.released", "A second person let the secret be shown.", ACCOUNT + " grant_id:id person_id:id"),
    ("sealed.checked_in", "Nobody holds the sealed account any more.", ACCOUNT + " person_id:id grant_id:id to_at:time shown:bool"),
    ("sealed.rotation_owed", "A sealed account is owed a new secret.", ROTATION + " cause due_at:time custodian_id:id"),
    ("sealed.rotation_begun", "The portal is about to give an account a new secret.", ACCOUNT + " grant_id:id?"),
    ("sealed.rotated", "A sealed account got a new secret.", ROTATION + " rotated_at:time rotated_by"),
    ("sealed.tested", "A login with the new secret was tried.", ROTATION + " tested_at:time tested_by ok:bool"),
    ("sealed.account_listed", "One account in the union of the register and of what the target shows.",
     "listing_id:id system_id:id account_id:id? login* taken_at:time in_register:bool in_target:bool enabled:bool?"),
    ("sealed.act_refused", "An act on a sealed account was refused.", "act code kind sentence"),
)  # fmt: skip
