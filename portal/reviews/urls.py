"""Pages of reviews."""

from django.urls import path

from portal.reviews import acts_views, aftermath_views, away_views, views

urlpatterns = [
    path("reviews/", views.reviews, name="reviews"),
    path("reviews/offline/<uuid:pk>/", views.review_moved, name="review_moved"),
    path("reviews/<uuid:pk>/", views.review_page, name="review_page"),
    path("reviews/<uuid:pk>/claim/", views.review_claim, name="review_claim"),
    path("reviews/<uuid:pk>/hand-over/", views.review_hand_over, name="review_hand_over"),
    path("reviews/<uuid:pk>/save/", views.review_save, name="review_save"),
    path("reviews/<uuid:pk>/submit/", views.review_submit, name="review_submit"),
    path("reviews/<uuid:pk>/second/", views.review_second, name="review_second"),
    path("reviews/<uuid:pk>/after/", aftermath_views.review_after, name="review_after"),
    path("reviews/<uuid:pk>/change/", aftermath_views.review_change, name="review_change"),
    path("reviews/<uuid:pk>/privacy/", aftermath_views.review_privacy, name="review_privacy"),
    path("reviews/<uuid:pk>/notice/", aftermath_views.review_notice, name="review_notice"),
    path("reviews/away/", away_views.review_away, name="review_away"),
    path("reviews/away/<uuid:pk>/back/", away_views.review_back, name="review_back"),
    path("reviews/judges/", views.review_judges, name="review_judges"),
    path("reviews/<uuid:pk>/on-screen/", views.review_on_screen, name="review_on_screen"),
    path("reviews/<uuid:pk>/acts/", acts_views.review_acts, name="review_acts"),
    path("reviews/<uuid:pk>/accept/", acts_views.review_accept, name="review_accept"),
    path(
        "reviews/<uuid:pk>/accepted/<uuid:acceptance>/take-back/", acts_views.review_take_back, name="review_take_back"
    ),
]
