"""Health for machines, status for people."""

from django.urls import path

from portal.health import views

urlpatterns = [
    path("health/live", views.live, name="health_live"),
    path("health/ready", views.ready, name="health_ready"),
    path("status/", views.status_page, name="status_page"),
]
