"""Who may review a use, and when a judgement is whole. Each check raises."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from django.db.models import QuerySet

from audit.log.append import Actor
from audit.log.read import of_cases
from portal.access_requests.models import Approval
from portal.eligibility.models import REVIEWER
from portal.eligibility.queries import holds, people_with
from portal.errors import NotAllowed, RefusedByPolicy, WrongState
from portal.grants.models import Extension
from portal.grants.states import ENDED
from portal.people.models import Person
from portal.reviews.models import Review
from portal.reviews.questions import ANSWERS, OUTCOMES, Question, questions, severe_enough
from portal.reviews.states import SECOND
from portal.sealed.models import OfflineCard

# Acts in a case that make whoever did them part of the use. Having seen a request decides nothing.
HANDS = (
    "request.approved",
    "grant.revealed",
    "grant.returned",
    "grant.revoked",
    "grant.extended",
    "sealed.released",
    "grant.extension_declined",
    "request.supplemented",
)
WROTE = ("review.saved", "review.acts_accepted")
"""What makes somebody an author of the first judgement, even where another submitted it."""
Answers = Mapping[str, Mapping[str, str]]


def involved_in(review: Review) -> frozenset[str]:
    """Pseudonyms of everybody who had a hand in the use: asked, decided, extended, revealed, ended; of offline cards who used, kept or held them."""
    return hands_of([review])[review.request_id]


def hands_of(reviews: Iterable[Review]) -> dict[UUID, frozenset[str]]:
    """`involved_in` for several reviews by their request, in four queries at most."""
    listed = list(reviews)
    approved = Approval.objects.filter(request__in=[each.request_id for each in listed])
    decided = Extension.objects.filter(grant__in=[each.grant_id for each in listed], decided_by__isnull=False)
    told = [
        *approved.values_list("request_id", "approver_id"),
        *decided.values_list("grant__request_id", "decided_by_id"),
    ]
    return hands_among(listed, told)


def hands_among(reviews: Iterable[Review], told: Iterable[tuple[UUID, UUID | None]]) -> dict[UUID, frozenset[str]]:
    """As `hands_of`, where it is known already who decided on which request, and on more time. One query, and one where offline cards were used."""
    listed = list(reviews)
    hands: dict[str, set[str]] = {each.log_case: {str(each.request.responder_id)} for each in listed}
    for case, person in [*told, *_kept_cards(listed)]:
        hands[str(case)].add(str(person))
    for event in of_cases(hands, HANDS):
        if not event.by.startswith("process:"):
            hands[event.case].add(event.by)
        if event.fields.get("delegated_by"):  # in whose place
            hands[event.case].add(str(event.fields["delegated_by"]))
    return {UUID(case): frozenset(people) for case, people in hands.items()}


def _kept_cards(listed: Iterable[Review]) -> list[tuple[UUID, UUID]]:
    """Of each use of offline cards who keeps the account, and who held a card of the pair; by request."""
    cases: dict[UUID, list[UUID]] = {}
    found: list[tuple[UUID, UUID]] = []
    for each in listed:
        if each.of_set:
            account = each.of_set.account
            keepers = (account.custodian_id, account.second_custodian_id)
            found += [(each.request_id, person) for person in keepers if person]
            cases.setdefault(each.of_set.pk, []).append(each.request_id)
    cards = OfflineCard.objects.filter(of_set__in=list(cases)).values_list("of_set", "custodian") if cases else ()
    return found + [(case, person) for made, person in cards for case in cases[made]]


def authors_of(reviews: Iterable[Review]) -> dict[UUID, frozenset[str]]:
    """Of each review that is in its second round: who judged it first or wrote a part of that. One query, and none where there is no such review."""
    listed = [each for each in reviews if each.state in SECOND]
    authors = {str(each.pk): {str(each.reviewer_id)} for each in listed}
    for event in of_cases([each.log_case for each in listed], WROTE) if listed else ():
        if event.fields["review_id"] in authors:
            authors[event.fields["review_id"]].add(event.by)
    return {UUID(review): frozenset(people) for review, people in authors.items()}


def barred_from(
    reviews: Iterable[Review], involved: Mapping[UUID, frozenset[str]] | None = None
) -> dict[UUID, frozenset[str]]:
    """Who may not judge each of the reviews: whoever had a part in the use, or in the first judgement of two. A constant number of queries.

    ``involved``: by request, where a page has asked for that already; acts leave it out.
    """
    rows = list(reviews)
    hands = hands_of(rows) if involved is None else involved
    authors = authors_of(rows)
    return {row.pk: hands[row.request_id] | authors.get(row.pk, frozenset()) for row in rows}


def pool_of(review: Review, involved: frozenset[str] | None = None) -> list[Person]:
    """Reviewers of the system who had no part in the use, and for the second round none in the first; ``involved`` as for `may_review`."""
    known = None if involved is None else {review.request_id: involved}
    barred = barred_from([review], known)[review.pk]
    return list(people_with(REVIEWER, review.request.system).exclude(pk__in=barred))


def people_among(people: Iterable[Person]) -> QuerySet[Person]:
    """The same people as a query, for a form's choices."""
    return Person.objects.filter(pk__in=[person.pk for person in people]).order_by("name")


def may_review(by: Actor, review: Review, involved: frozenset[str] | None = None) -> None:
    """A reviewer of the system who had no part in the use, nor in the first judgement of two; asked anew each time: somebody may have become involved since.

    ``involved``: where a page has asked for that already; acts leave it out.

    Raises:
        NotAllowed: of kind ``involved`` for who had a part in it, ``first reviewer`` for who judged it before, or wrote a part of that.
    """
    if not holds(by.id, REVIEWER, review.request.system):
        raise NotAllowed("Only a reviewer of this system may do that.", about=review, kind="not a reviewer")
    if by.id in (involved_in(review) if involved is None else involved):
        raise NotAllowed("You had a part in this use. Somebody else reviews it.", about=review, kind="involved")
    if by.id in authors_of([review]).get(review.pk, ()):
        raise NotAllowed(
            "You judged this use first, or wrote a part of that. Somebody else takes the second look.",
            about=review, kind="first reviewer",
        )  # fmt: skip


def is_its_reviewer(by: Actor, review: Review, involved: frozenset[str] | None = None) -> None:
    """Who claimed it, and may still review it; ``involved`` as for `may_review`.

    Raises:
        NotAllowed: anybody else.
    """
    may_review(by, review, involved)
    if review.holder is None or str(review.holder.pk) != by.id:
        raise NotAllowed("Another reviewer has this review.", about=review, kind="not its reviewer")


def is_over(review: Review) -> None:
    """Access is gone and the target confirmed it: before, there is nothing whole to judge. Where offline cards were used the portal opened nothing.

    Raises:
        WrongState: the target was not read back yet.
    """
    if review.grant and review.grant.state != ENDED:
        raise WrongState(
            "This access was not read back from the target yet, so it may still be live. What you answered is kept; submit when it has ended.",
            about=review,
        )


def check_known(answers: Answers, about: object) -> None:
    """Only questions and answers that there are.

    Raises:
        RefusedByPolicy: it is not so.
    """
    known = {each.id for each in questions()}
    if set(answers) - known or any(each["answer"] not in ("", *ANSWERS) for each in answers.values()):
        raise RefusedByPolicy("There is no such question or answer.", about=about, kind="unknown answer")


def unanswered(answers: Answers) -> list[Question]:
    """Questions without an answer."""
    return [each for each in questions() if not answers.get(each.id, {}).get("answer")]


def adverse(answers: Answers) -> list[Question]:
    """Questions whose answer is adverse."""
    return [each for each in questions() if answers.get(each.id, {}).get("answer") in each.adverse]


def needs_second(answers: Answers) -> bool:
    """Whether so many answers to severe questions are adverse that a second reviewer is asked."""
    return sum(each.severe for each in adverse(answers)) >= severe_enough()


def uncommented(answers: Answers) -> list[Question]:
    """Questions with an adverse answer and without the comment that it needs."""
    return [each for each in adverse(answers) if not answers[each.id].get("comment", "").strip()]


def check_whole(answers: Answers, outcome: str, about: object) -> None:
    """Every question answered, adverse answers explained, and an outcome that fits them.

    Raises:
        RefusedByPolicy: it is not so.
    """
    if missing := unanswered(answers):
        raise RefusedByPolicy(f"Answer every question first: {_numbers(missing)}.", about=about, kind="unanswered")
    if silent := uncommented(answers):
        raise RefusedByPolicy(f"Say why, for {_numbers(silent)}.", about=about, kind="uncommented")
    if outcome not in OUTCOMES:
        raise RefusedByPolicy("Choose an outcome.", about=about, kind="no outcome")
    if outcome == "accepted" and adverse(answers):
        raise RefusedByPolicy(
            "Some of your answers open findings, so this use is accepted with findings, or not.", about=about
        )


def _numbers(chosen: Iterable[Question]) -> str:
    return ", ".join(f"question {each.number}" for each in chosen)
