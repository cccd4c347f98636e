"""What can go wrong at a target, by whose turn it is next. Each carries one sentence for people and never a secret."""


class ConnectorError(Exception):
    """The target did not do what was asked."""

    retry = False

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Unreachable(ConnectorError):
    """No answer, or a busy one: trying again makes sense."""

    retry = True


class TargetRefused(ConnectorError):
    """The target answered no: somebody has to change something before another try can help."""


class ForeignMarker(TargetRefused):
    """A login of that name exists on the target and is not the one of this grant; nothing was touched."""


class Gone(TargetRefused):
    """What should be changed is no longer there, or can no longer log in."""


class BadSettings(ConnectorError):
    """The system's settings cannot be used as they are."""


class PasswordUnreadable(BadSettings):
    """The password kept for the target cannot be decrypted, as after a restore with another key: somebody has to enter it again."""
