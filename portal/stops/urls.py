"""Emergency stops."""

from django.urls import path

from portal.stops import views

urlpatterns = [
    path("stops/", views.stops, name="stops"),
    path("stops/all/", views.stop_all, name="stop_all"),
    path("stops/<uuid:pk>/", views.stop_page, name="stop_page"),
    path("stops/<uuid:pk>/ask-lift/", views.stop_ask_lift, name="stop_ask_lift"),
    path("stops/<uuid:pk>/keep/", views.stop_keep, name="stop_keep"),
    path("stops/<uuid:pk>/lift/", views.stop_lift, name="stop_lift"),
    path("systems/<uuid:pk>/stop/", views.stop_system, name="stop_system"),
]
