"""Addresses of the log."""

from django.urls import path

from audit.log import views

urlpatterns = [
    path("log/", views.log_page, name="log_page"),
    path("log/checkpoint", views.log_checkpoint, name="log_checkpoint"),
    path("log/checkpoint/since/<int:size>", views.log_grown, name="log_grown"),
    path("log/<int:index>/", views.log_entry, name="log_entry"),
    path("log/<int:index>/bytes", views.log_bytes, name="log_bytes"),
    path("log/<int:index>/proof", views.log_proof, name="log_proof"),
]
