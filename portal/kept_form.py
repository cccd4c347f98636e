"""A form that keeps what was typed: a refusal of its act, or a log that cannot be written, comes back in it."""

from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

from django import forms

from portal.errors import ChangedMeanwhile, LogUnavailable, Refused, RefusedByPolicy, WrongState

T = TypeVar("T")
EMPTY = "Please fill this in."
# Django's sentences and ours in their place; a field's own stay as they are
OURS = {
    "Select a valid choice. %(value)s is not one of the available choices.": "Choose one of these.",
    "Select a valid choice. That choice is not one of the available choices.": "Choose one of these.",
    "Enter a list of values.": "Choose one of these.",
    "Enter a whole number.": "Type a whole number.",
}
NOT_LOGGED = "The log cannot be written, so nothing was done. What you typed is kept here; try again in a minute."
TYPE_AGAIN = " Passwords are never kept: type them again."


class KeptForm(forms.Form):
    """A form that takes a refusal of its act as an error of its own; ``status`` is the answer's."""

    status = 200

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Fields speak as the portal does, unless they have a sentence of their own."""
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            speak(field)

    def full_clean(self) -> None:
        """What was typed wrongly is answered with 422."""
        super().full_clean()
        if self.is_bound and self.errors:
            self.status = 422

    def carry_out(self, act: Callable[[], T], *, stays: bool = False) -> T | None:
        """Do it, or say in the form why not. Who may not, or comes too late, is told by a page of its own, which says again what was typed.

        Args:
            stays: The form is on its page however things stand by now, so that who comes too late is told in it as well.
        """
        try:
            return act()
        except (WrongState, ChangedMeanwhile) as refusal:
            if not stays:
                raise_with(refusal, self._typed())
            self.add_error(None, refusal.sentence)
            self.status = 409
        except RefusedByPolicy as refusal:
            self.add_error(None, refusal.sentence)
            self.status = 422
        except LogUnavailable:
            self.add_error(None, NOT_LOGGED + (TYPE_AGAIN if self._holds_a_password() else ""))
            self.status = 503
        return None

    def _typed(self) -> list[str]:
        """Sentences in plain text: what would be typed again. Passwords and chosen values are not among them."""
        texts = [name for name, field in self.fields.items() if isinstance(field.widget, forms.Textarea)]
        return [said for name in texts if (said := str(self.cleaned_data.get(name) or ""))]

    def _holds_a_password(self) -> bool:
        hidden = (name for name, field in self.fields.items() if isinstance(field.widget, forms.PasswordInput))
        return any(self.cleaned_data.get(name) for name in hidden)


def raise_with(refusal: Refused, typed: list[str]) -> NoReturn:
    """Raise it again, with what was typed, for the page that answers it: see ``portal/middleware.py``."""
    refusal.__dict__["typed"] = [each for each in typed if each]
    raise refusal


def speak(field: forms.Field) -> None:
    """Short sentences in place of Django's."""
    for code, sentence in field.error_messages.items():
        field.error_messages[code] = OURS.get(str(sentence), sentence)
    if isinstance(field, forms.ChoiceField) and field.error_messages["required"] == EMPTY:
        field.error_messages["required"] = "Choose one."
    if isinstance(field, forms.IntegerField):
        field.error_messages |= {"min_value": "At least %(limit_value)s.", "max_value": "At most %(limit_value)s."}
