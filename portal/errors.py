"""Why an act was not done: few kinds, told apart by type, each with a sentence for the person. The middleware turns them into answers."""

from typing import ClassVar

from audit.log.append import LogUnavailable, Refused


class NotAllowed(Refused):
    """This person may not do that (who). 403."""

    code: ClassVar[str] = "not_allowed"


class StepUpNeeded(NotAllowed):
    """A fresh second factor is needed first; ``resistant``: a passkey and no other."""

    code: ClassVar[str] = "step_up_needed"

    def __init__(self, sentence: str, *, about: object = None, kind: str = "", resistant: bool = False) -> None:
        """Keep which factor is asked for, beside what every refusal keeps."""
        super().__init__(sentence, about=about, kind=kind)
        self.resistant = resistant


class WrongState(Refused):
    """It cannot be done in this state (when). 409."""

    code: ClassVar[str] = "wrong_state"


class ChangedMeanwhile(Refused):
    """Somebody else, or the same person a moment ago, has already done it. 409."""

    code: ClassVar[str] = "changed_meanwhile"


class RefusedByPolicy(Refused):
    """The policy or a rule does not let it through as asked. 422."""

    code: ClassVar[str] = "refused_by_policy"


__all__ = [
    "ChangedMeanwhile",
    "LogUnavailable",
    "NotAllowed",
    "Refused",
    "RefusedByPolicy",
    "StepUpNeeded",
    "WrongState",
]
