"""People, their sign-ins and second factors."""

from audit.events.spec import family

EVENTS = family(
    ("portal.founded", "The first two administrators were made.", "administrators:list host*?"),
    ("person.added", "A person was added.", "person_id:id name* email* third_party:bool? manager_id:id? sponsor_id:id? sponsor_active:bool? contract_end:time? joined_at:time?"),
    ("person.manager_set", "It was said whom a person reports to, or that it is nobody.", "person_id:id manager_id:id?"),
    ("person.left", "A person left; nothing of theirs stays open.", "person_id:id left_at:time list_id:id?"),
    ("person.moved", "A person moved to other work; their lists end unless they are given anew.", "person_id:id moved_at:time unit*? before*? list_id:id?"),
    ("person.placed", "Where a person works was noted.", "person_id:id unit* list_id:id?"),
    ("personnel.read", "A personnel list was read; nothing was done with it yet.", "list_id:id sha256 bytes:int rows:int taken_at:time query*"),
    ("personnel.second_asked", "A personnel list by which many would leave waits for a second administrator.", "list_id:id sha256 leavers:int people:int"),
    ("personnel.imported", "A personnel list was imported: who left and who moved was dealt with.", "list_id:id sha256 query* taken_at:time rows:int joiners:int movers:int leavers:int people:int asked_by:id?"),
    ("personnel.discarded", "A personnel list was laid aside; nothing was done with it.", "list_id:id sha256 cause"),
    ("personnel.act_refused", "An act on a personnel list was refused.", "act code kind sentence"),
    ("person.act_refused", "An act on a person was refused.", "act code kind sentence"),
    ("signin.opened", "Somebody signed in.", "person_id:id signin_id:id factor address*? agent*?"),
    ("signin.refused", "A sign-in was refused.", "kind person_id:id? email*? address*?"),
    ("signin.strengthened", "A second factor was given afresh.", "person_id:id signin_id:id factor"),
    ("signin.ended", "A sign-in ended.", "person_id:id signin_id:id cause"),
    ("factor.enrolled", "A second factor was enrolled.", "person_id:id factor passkey_id:id? passkey*? aaguid:id? synced:bool?"),
    ("factor.renamed", "A passkey was given another name.", "person_id:id passkey_id:id passkey*"),
    ("factor.removed", "A second factor was removed.", "person_id:id factor passkey_id:id? passkey*?"),
    ("recovery.made", "Recovery codes were made; earlier ones are void.", "person_id:id count:int"),
    ("password.changed", "A person chose a new password; all their sign-ins ended.", "person_id:id"),
    ("password.given", "A one-time password was made for a person.", "person_id:id valid_until:time"),
    ("signin.act_refused", "An act on a sign-in was refused.", "act code kind sentence"),
)  # fmt: skip
