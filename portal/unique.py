"""What must stand once stands once, even if two people do it at the same moment."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import IntegrityError, transaction

from portal.errors import RefusedByPolicy


@contextmanager
def refuse_doubled(sentence: str, about: object = None) -> Iterator[None]:
    """Turn the database's refusal of a second one into ours.

    Raises:
        RefusedByPolicy: with the sentence.
    """
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        raise RefusedByPolicy(sentence, about=about, kind="doubled") from error
