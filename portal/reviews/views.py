"""Pages of reviews: what waits, and one review from claiming to submitting."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from audit.log.viewing import viewed, viewed_with
from portal.access_requests.rules import allows
from portal.kept import confirming
from portal.notifications.seeing import looked_at
from portal.people.signing_in import PersonRequest, signed_in
from portal.policy.rules import CLASSES
from portal.reviews import judges, queries, sittings
from portal.reviews.actions import claim, hand_over, pass_on, save, submit
from portal.reviews.drafts import TooLate, in_time
from portal.reviews.forms import HandOverForm, ReviewForm, SecondForm
from portal.reviews.models import Review
from portal.reviews.offline.queries import declared_in
from portal.reviews.questions import OUTCOMES, statement
from portal.reviews.rules import is_its_reviewer, may_review, people_among, pool_of
from portal.reviews.second import submit_second
from portal.reviews.shown import asked_of, course_of, said_of
from portal.reviews.states import CLAIMED, DUE, SECOND_CLAIMED, SECOND_DUE, TAKEN_STATES

PER_PAGE = 25
THEN = {"acts": "review_acts", "after": "review_after"}  # where somebody goes on who leaves the questions for a while


@require_GET
@signed_in
def reviews(request: PersonRequest) -> HttpResponse:
    """What the viewer may take, what they have, and all of their systems."""
    done = request.GET.get("show") == "done"
    page = Paginator(queries.all_of(request.user, done=done), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "due": queries.due_for(request.user),
        "claimed": queries.claimed_by(request.user),
        "page": page,
        "total": queries.visible(request.user).count(),
        "done": done,
        "owner": queries.owns_something(request.user),
        "reviewer": queries.reviews_something(request.user),
    }
    return render(request, "reviews/reviews.html", context)


@require_GET
@signed_in
def review_page(request: PersonRequest, pk: UUID) -> HttpResponse:
    """One review."""
    review = _visible(request, pk)
    viewed(request, "the review", review)
    looked_at(request)
    evidence = queries.evidence_of(review)
    answers = _may_answer(request, review, evidence.involved)
    parts = _asked(review) if answers else {}
    if answers:
        sitting = sittings.note(review=review, person=request.user, opened=[sittings.SAID])
        if review.grant is not None:  # of a use of offline cards no groups are shown
            parts["groups_opened"] = sittings.groups_opened(sitting)
    return _show(request, review, parts, evidence=evidence)


@require_GET
@signed_in
def review_moved(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Where reviews of offline cards stood once: mail that was sent leads there."""
    return redirect(_visible(request, pk).path)


def _asked(review: Review) -> dict[str, Any]:
    """What its reviewer fills in, in the round that it is in."""
    return {"second": SecondForm()} if review.state == SECOND_CLAIMED else {"form": _form(review)}


@require_POST
@signed_in
def review_on_screen(request: PersonRequest, pk: UUID) -> HttpResponse:
    """The page was visible for a while: of its reviewer alone, while they judge. Which evidence was opened, its pages note, not the browser."""
    review = _for_act(pk)
    if not _may_answer(request, review):
        raise PermissionDenied("Only the reviewer's own time is measured.")
    ages = [span for text in request.POST.getlist("on_screen") if (span := _ages(text))]
    sittings.note(review=review, person=request.user, ages=ages)
    return HttpResponse(status=204)


def _ages(text: str) -> tuple[int, int] | None:
    """``begun-ended``, both in milliseconds ago; what cannot be read is nothing."""
    begun, dash, ended = text.partition("-")
    if not dash or not all(word.isascii() and word.isdigit() and len(word) < 8 for word in (begun, ended)):
        return None
    return int(begun), int(ended)


@require_GET
@signed_in
def review_judges(request: PersonRequest) -> HttpResponse:
    """Figures on those who review the viewer's systems: for owners."""
    if not queries.owns_something(request.user):
        raise PermissionDenied("Figures on reviewers are shown to owners of systems.")
    viewed(request, "figures on reviewers")
    return render(request, "reviews/judges.html", {"judges": judges.figures_for(request.user), "days": judges.DAYS})


@require_POST
@signed_in
def review_claim(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Take it."""
    claim(by=request.actor, review=_for_act(pk))
    return redirect("review_page", pk=pk)


@require_POST
@signed_in
def review_hand_over(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Give it back, or to somebody by name."""
    review = _for_act(pk)
    form = HandOverForm(request.POST, pool=people_among(pool_of(review)))
    if not form.is_valid():
        return _show(request, _again(request, pk), {"over": form}, status=form.status)
    to, comment = form.cleaned_data["to"], form.cleaned_data["comment"]
    if to is None:
        hand_over(by=request.actor, review=review, comment=comment)
        messages.info(request, "All reviewers of this system are told. Your answers are kept for whoever takes it.")
        return redirect("reviews")
    pass_on(by=request.actor, review=review, to=to, comment=comment)
    messages.info(request, f"{to.name} has it now, and is told.")
    return redirect("reviews")


@require_POST
@signed_in
def review_save(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Keep what was answered so far."""
    review = _for_act(pk)
    form = _form(review, request.POST)
    kept = None
    if form.is_valid() or not _may_answer(request, review, states=(CLAIMED,)):
        try:
            kept = form.carry_out(
                lambda: in_time(
                    lambda: save(
                        by=request.actor,
                        review=review,
                        answers=form.answers(),
                        since=form.cleaned_data.get("since", ""),
                    )
                )
            )
        except TooLate as late:
            return _too_late(request, pk, form, late)
    if kept is not None:
        messages.info(request, "Your answers are kept. You can go on later.")
        return redirect(THEN.get(request.POST.get("then", ""), "review_page"), pk=pk)
    return _show(request, _again(request, pk), {"form": form}, status=form.status)


@require_POST
@signed_in
@confirming
def review_submit(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Judge the use."""
    review = _for_act(pk)
    form = _form(review, request.POST, whole=True)
    if form.is_valid() or not _may_answer(request, review, states=(CLAIMED,)):
        try:
            kept = form.carry_out(lambda: in_time(lambda: _submit(request, review, form)))
        except TooLate as late:
            return _too_late(request, pk, form, late)
        if kept is not None:
            messages.info(request, "The review is on record.")
            return redirect("review_page", pk=pk)
    return _show(request, _again(request, pk), {"form": form}, status=form.status)


def _submit(request: PersonRequest, review: Review, form: ReviewForm) -> Review:
    said = form.cleaned_data
    return submit(
        by=request.actor, review=review, answers=form.answers(), outcome=said.get("outcome", ""), owner=said.get("finding_owner"),
        due_at=said.get("finding_due"),
    )  # fmt: skip


@require_POST
@signed_in
@confirming
def review_second(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Confirm the first judgement, or disagree."""
    review, form = _for_act(pk), SecondForm(request.POST)
    kept = None
    if form.is_valid() or not _may_answer(request, review, states=(SECOND_CLAIMED,)):
        try:
            kept = form.carry_out(
                lambda: in_time(lambda: submit_second(by=request.actor, review=review, **form.arguments()))
            )
        except TooLate as late:
            return _too_late(request, pk, form, late)
    if kept is not None:
        messages.info(request, "The review is done.")
        return redirect("review_page", pk=pk)
    return _show(request, _again(request, pk), {"second": form}, status=form.status)


def _too_late(request: PersonRequest, pk: UUID, form: ReviewForm | SecondForm, late: TooLate) -> HttpResponse:
    """Whoever judged it until now sees again what they typed, and who has the review now; everybody else is refused as ever."""
    if not (form.typed() and sittings.has_judged(pk, request.user) and queries.review_for(request.user, pk)):
        raise late.refusal
    review = _again(request, pk)
    parts = {"typed": form.typed(), "refused": late.refusal.sentence}
    return _show(request, review, parts | (_asked(review) if _may_answer(request, review) else {}), status=late.status)


def _show(
    request: PersonRequest, review: Review, parts: dict[str, Any], status: int = 200, *, evidence: queries.Evidence | None = None
) -> HttpResponse:  # fmt: skip
    """The page with what is fitting for this viewer. Its evidence is asked for once, who is involved with it."""
    evidence = evidence or queries.evidence_of(review)
    mine = review.state in TAKEN_STATES and review.holder == request.user
    if mine and "over" not in parts:
        parts["over"] = HandOverForm(pool=people_among(evidence.pool).exclude(pk=request.user.pk))
    context = {
        "review": review, "grant": review.grant, "asked": review.request, "account": review.of_set and review.of_set.account,
        "declared": declared_in(review), "evidence": evidence, "mine": mine,
        "involved": str(request.user.pk) in evidence.involved,
        "may_claim": review.state in (DUE, SECOND_DUE) and allows(may_review, request.actor, review, evidence.involved),
        "said": asked_of(review), "course": course_of(review, evidence), "statement": statement(),
        "answers": said_of(review) if review.submitted_at else [], "outcome": OUTCOMES.get(review.outcome, ""),
        "acceptances": [(each, CLASSES.get(each.kind, each.kind)) for each in evidence.acceptances],
        "changes": queries.changes_of(review), "privacy": queries.privacy_of(review), **parts,
    }  # fmt: skip
    return render(request, "reviews/review.html", context, status=status)


def _form(review: Review, data: Any = None, *, whole: bool = False) -> ReviewForm:
    return ReviewForm(data, review=review, owners=queries.finding_owners(review), whole=whole)


def _may_answer(
    request: PersonRequest, review: Review, involved: frozenset[str] | None = None, *, states: tuple[str, ...] = TAKEN_STATES
) -> bool:  # fmt: skip
    return review.state in states and allows(is_its_reviewer, request.actor, review, involved)


def _visible(request: PersonRequest, pk: UUID) -> Review:
    found = queries.review_for(request.user, pk)
    if found is None:
        raise Http404
    return found


def _again(request: PersonRequest, pk: UUID) -> Review:
    """For a form that comes back on its page: who never looked at the page sees it now."""
    found = _visible(request, pk)
    viewed_with(request, "the review", found)
    return found


def _for_act(pk: UUID) -> Review:
    found = queries.review_for_act(pk)
    if found is None:
        raise Http404
    return found
