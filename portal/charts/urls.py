"""Figures."""

from django.urls import path

from portal.charts import views

urlpatterns = [path("figures/", views.figures_page, name="figures")]
