"""Offline cards: for when the portal is dead. No share and no password is ever among the fields.

A declared use is put up and judged by the events of any review. ``offline.review_due`` and ``offline.reviewed`` stand in older logs only.
"""

from audit.events.spec import family

SET = "set_id:id account_id:id system_id:id number:int"

EVENTS = family(
    ("offline.cards_prepared", "A pair of offline cards is kept, whose password the target has not been given yet.", SET),
    ("offline.custodian_missing", "No new pair is made: who should print a card has left, or is no custodian any more.",
     "account_id:id system_id:id custodians:list"),
    ("offline.change_begun", "The target is about to be given the password of a pair: it may carry it from now on.", SET),
    ("offline.cards_made", "The target took the password of a pair of offline cards.", SET + " custodians:list"),
    ("offline.card_printed", "A custodian printed their card; the portal has it no more.", SET + " letter custodian_id:id"),
    ("offline.card_held", "A custodian says that they hold their printed card.", SET + " letter custodian_id:id"),
    ("offline.handed_out", "Both cards of a pair are with their custodians.", SET),
    ("offline.not_printed", "A pair of cards was made, and both are still not printed.", SET),
    ("offline.drill_due", "A pair of cards is to be drilled.", SET + " due_at:time"),
    ("offline.drill_begun", "The portal asked the custodians what only both cards can answer.", SET + " person_id:id question"),
    ("offline.drilled", "The custodians put their cards together in a drill.", SET + " person_id:id ok:bool"),
    ("offline.used", "Somebody says that the cards were used.", SET + " person_id:id from_at:time to_at:time sessions:list"),
    ("offline.sessions_bound", "Sessions that the target showed later belong to a declared use.", SET + " sessions:list"),
    ("offline.use_confirmed", "A session on the target, or a second person, says the same: the secret of the pair is known.",
     SET + " word_of:id? sessions:list?"),
    ("offline.review_due", "A use of offline cards is to be reviewed.", SET + " review_id:id due_at:time pool:list"),
    ("offline.reviewed", "Somebody without a part in it judged a use of offline cards.",
     SET + " review_id:id reviewer_id:id due_at:time answers:map answers_missing:int adverse_answers:int emergency_upheld:bool outcome"
     " statement_sha256 comments*? involved:list"),
    ("offline.replaced", "A pair of cards is worth nothing any more.", SET),
)  # fmt: skip
