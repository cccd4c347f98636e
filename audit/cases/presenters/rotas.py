"""Rotas of approvers."""

from audit.cases.presenters.spec import Presenter, refused, say

PRESENTERS: dict[str, Presenter] = {
    "rota.made": say("Set up the rota {rota}", "In this order: {members}.", "Handed over at {hour} o'clock, {zone}.", icon="refresh", tone="accent"),
    "rota.changed": say("Changed the rota {rota}", "In this order: {members}.", "Handed over at {hour} o'clock, {zone}.", icon="refresh", tone="accent"),
    "rota.retired": say("Took the rota {rota} out of use", icon="lock"),
    "rota.swap_offered": say("Offered {to_id} a swap of weeks", "Gives the week of {week}.", "Wants the week of {other_week}.", icon="refresh"),
    "rota.swap_taken": say("Swapped weeks with {offered_by}", "Has the week of {week}.", "Gave the week of {other_week}.", icon="check", tone="good"),
    "rota.swap_declined": say("Declined a swap of weeks with {offered_by}", "Of the week of {week}.", icon="ban"),
    "rota.swap_withdrawn": say("Took the offer of a swap of weeks back", "Of the week of {week}.", icon="arrow-left"),
    "rota.away_said": say("{person_id} is away", "From {from_at}.", "To {to_at}.", icon="calendar"),
    "rota.away_ended": say("{person_id} is back", icon="calendar"),
    "rota.act_refused": refused("a rota"),
}  # fmt: skip
