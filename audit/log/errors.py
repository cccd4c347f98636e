"""What can be wrong with bytes of the log: they cannot be written, cannot be read, or do not prove what they claim."""


class EncodeError(ValueError):
    """The value has no canonical bytes in this log."""


class EntryTooLarge(EncodeError):
    """The entry is larger than 65,535 bytes, the largest length that an entry bundle can hold."""


class ParseError(ValueError):
    """The bytes are not of the format, or not in the one way of writing it."""


class NotVerified(Exception):
    """The bytes are well formed and do not prove what they claim."""


class LogUnavailable(Exception):
    """The log could not be written, so nothing was changed."""
