"""A choice among rows that asks for them once."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.forms.models import ModelChoiceIterator


class RowsIterator(ModelChoiceIterator):  # type: ignore[type-arg]  # of any model
    """The rows in one question. Django's own opens a cursor on the server and fetches from it: four, for a list that is short anyway."""

    def __iter__(self) -> Iterator[Any]:
        """The empty choice first, where there is one."""
        if self.field.empty_label is not None:
            yield "", self.field.empty_label
        for row in self.queryset.all():
            yield self.choice(row)


class RowField(forms.ModelChoiceField):  # type: ignore[type-arg]  # of any model
    """One of some rows."""

    iterator = RowsIterator
