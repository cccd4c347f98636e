"""Signals."""

from django.urls import path

from audit.controls import views

urlpatterns = [path("signals/", views.signals_page, name="signals")]
