"""Pages of receivers."""

from django.urls import path

from portal.notifications.channels.webhook import views

urlpatterns = [
    path("receivers/", views.receivers, name="receivers"),
    path("receivers/new/", views.receiver_new, name="receiver_new"),
    path("receivers/<uuid:pk>/", views.receiver_page, name="receiver_page"),
    path("receivers/<uuid:pk>/secret/", views.receiver_secret, name="receiver_secret"),
    path("receivers/<uuid:pk>/try/", views.receiver_try, name="receiver_try"),
    path("receivers/<uuid:pk>/retire/", views.receiver_retire, name="receiver_retire"),
]
