"""Roles and eligibilities."""

from django.urls import path

from portal.eligibility import views

urlpatterns = [
    path("roles/new/", views.role_new, name="role_new"),
    path("roles/lend/", views.role_lend, name="role_lend"),
    path("roles/<uuid:pk>/", views.role_page, name="role_page"),
    path("roles/<uuid:pk>/decide/", views.role_decide, name="role_decide"),
    path("roles/<uuid:pk>/end/", views.role_end, name="role_end"),
    path("roles/<uuid:pk>/take-back/", views.role_take_back, name="role_take_back"),
    path("eligibilities/new/", views.eligibility_new, name="eligibility_new"),
    path("eligibilities/<uuid:pk>/", views.eligibility_page, name="eligibility_page"),
    path("eligibilities/<uuid:pk>/decide/", views.eligibility_decide, name="eligibility_decide"),
    path("eligibilities/<uuid:pk>/revoke/", views.eligibility_revoke, name="eligibility_revoke"),
    path("eligibilities/<uuid:pk>/shorten/", views.eligibility_shorten, name="eligibility_shorten"),
]
