"""The gallery alone, for its own tests."""

from django.urls import include, path

urlpatterns = [path("gallery/", include("portal.gallery.urls"))]
