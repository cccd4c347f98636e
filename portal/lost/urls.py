"""Lost ranges of the log."""

from django.urls import path

from portal.lost import views

urlpatterns = [
    path("lost/", views.lost_ranges, name="lost_ranges"),
    path("lost/<uuid:pk>/", views.lost_range_page, name="lost_range_page"),
    path("lost/<uuid:pk>/decide/", views.lost_range_decide, name="lost_range_decide"),
]
