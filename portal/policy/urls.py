"""Policies of systems, and their versions."""

from django.urls import path

from portal.policy import views

urlpatterns = [
    path("policies/", views.policies, name="policies"),
    path("policies/<uuid:pk>/", views.policy_system, name="policy_system"),
    path("policies/<uuid:pk>/new/", views.policy_new, name="policy_new"),
    path("policies/versions/<uuid:pk>/", views.policy_version, name="policy_version"),
    path("policies/versions/<uuid:pk>/approve/", views.policy_approve, name="policy_approve"),
    path("policies/versions/<uuid:pk>/confirm/", views.policy_confirm, name="policy_confirm"),
    path("policies/versions/<uuid:pk>/decline/", views.policy_decline, name="policy_decline"),
]
