"""Pages of alerts."""

from django.urls import path

from portal.notifications import views

urlpatterns = [
    path("alerts/", views.alerts, name="alerts"),
    path("alerts/seen/<str:token>/", views.alert_link, name="alert_link"),
    path("alerts/<uuid:pk>/seen/", views.acknowledge_alert, name="alert_acknowledge"),
]
