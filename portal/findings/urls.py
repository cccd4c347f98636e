"""Pages of findings."""

from django.urls import path

from portal.findings import views

urlpatterns = [
    path("findings/", views.findings, name="findings"),
    path("findings/new/", views.finding_raise, name="finding_raise"),
    path("findings/<uuid:pk>/", views.finding_page, name="finding_page"),
    *(path(f"findings/<uuid:pk>/{act}/", views.finding_act, {"act": act}, name=f"finding_{act}") for act in views.ACTS),
]
