"""Text from people: what cannot be stored or shown honestly is refused with a sentence, everything else is kept as it was typed."""

import unicodedata
from collections.abc import Iterator
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import ProhibitNullCharactersValidator

# They turn the reading order around, so that a line reads otherwise than it is stored (Unicode TR 36, TR 39; "Trojan Source").
REORDERING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
LONGEST = 4_000


def faults(text: str, *, lines: bool) -> Iterator[str]:
    """Each thing in the text that keeps it from being taken, in a sentence."""
    if any(0xD800 <= ord(each) <= 0xDFFF for each in text):
        yield "This holds half a character (a lone surrogate). Type it again."
    if any(each in REORDERING for each in text):
        yield "This holds invisible marks that turn the reading order around. Type it instead of pasting it."
    allowed = "\n\r\t" if lines else ""
    if any(unicodedata.category(each) == "Cc" and each not in allowed for each in text):
        yield (
            "This holds control characters. Type it instead of pasting it."
            if lines
            else "This holds line breaks or control characters. Type it in one line."
        )


class PlainCharField(forms.CharField):
    """One line of text, or several with a `Textarea`: no NUL, no half characters, no marks that reorder, no more than it may hold."""

    def __init__(self, *, max_length: int = LONGEST, **kwargs: Any) -> None:
        """`max_length` in characters; longer text is refused before it is looked at."""
        super().__init__(max_length=max_length, **kwargs)
        # Our own sentence says it of all control characters.
        self.validators = [each for each in self.validators if not isinstance(each, ProhibitNullCharactersValidator)]

    def clean(self, value: Any) -> str:
        """Refuse what is far too long at once: a megabyte is neither normalised nor searched."""
        if isinstance(value, str) and self.max_length is not None and len(value) > max(self.max_length * 4, 1_000):
            raise ValidationError(f"This is {len(value):,} characters long; at most {self.max_length:,} are kept.")
        return str(super().clean(value))

    def validate(self, value: str) -> None:
        """Refuse each fault with its sentence."""
        super().validate(value)
        found = list(faults(value, lines=isinstance(self.widget, forms.Textarea)))
        if found:
            raise ValidationError(found)
