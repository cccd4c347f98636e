"""The ten questions about a use of offline cards: the same ones, answered in one act."""

from typing import Any

from portal.people.queries import here
from portal.reviews.forms import ReviewForm


class OfflineReviewForm(ReviewForm):
    """As of any use; its findings are the owner's, due in the catalogue's days."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Nothing is known beforehand, and nothing is kept half-done."""
        super().__init__(*args, review=None, owners=here().none(), whole=True, **kwargs)
        del self.fields["finding_owner"], self.fields["finding_due"]
