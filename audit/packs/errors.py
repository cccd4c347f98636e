"""Why an act on a pack or dossier was not done. Codes are those that the portal's middleware answers by."""

from typing import ClassVar

from audit.log.append import Refused


class NotAllowed(Refused):
    """This person may not do that. 403."""

    code: ClassVar[str] = "not_allowed"


class StepUpNeeded(NotAllowed):
    """A fresh second factor is needed first."""

    code: ClassVar[str] = "step_up_needed"


class NotThere(Refused):
    """It is not made yet, or its file is gone. 409."""

    code: ClassVar[str] = "wrong_state"


class NotAsAsked(Refused):
    """What was asked for cannot be made. 422."""

    code: ClassVar[str] = "refused_by_policy"
