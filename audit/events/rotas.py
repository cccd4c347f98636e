"""Rotas of approvers: their order, swapped weeks, and who is away. Who was on call follows from these."""

from audit.events.spec import family

ROTA = "rota_id:id system_id:id rota members:list weekday:int hour:int zone begins"
SWAP = "swap_id:id rota_id:id offered_by:id to_id:id week other_week"

EVENTS = family(
    ("rota.made", "A rota of approvers was set up.", ROTA),
    ("rota.changed", "A rota of approvers was changed.", ROTA),
    ("rota.retired", "A rota of approvers was taken out of use.", "rota_id:id system_id:id rota"),
    ("rota.swap_offered", "A member of a rota offered another a swap of weeks.", SWAP),
    ("rota.swap_taken", "Two members of a rota swapped weeks.", SWAP),
    ("rota.swap_declined", "A swap of weeks was declined.", SWAP),
    ("rota.swap_withdrawn", "A swap of weeks is no longer offered.", SWAP),
    ("rota.away_said", "A member of a rota is away for a time.", "absence_id:id rota_id:id person_id:id from_at:time to_at:time"),
    ("rota.away_ended", "A member of a rota is back, or was not away.", "absence_id:id person_id:id ended_at:time"),
    ("rota.act_refused", "An act on a rota was refused.", "act code kind sentence"),
)  # fmt: skip
