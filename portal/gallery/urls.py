"""Routed at /gallery/ where the instance is a demo or a test."""

from django.urls import path

from portal.gallery import views

app_name = "gallery"
urlpatterns = [
    path("", views.gallery, name="components"),
    path("form/", views.faulty_form, name="form"),
    path("plain/", views.plain, name="plain"),
    path("errors/<int:status>/", views.error, name="error"),
]
