"""Every address that any portal has: a real one's, and those that only a demo adds."""

from django.urls import include, path

from portal import urls

urlpatterns = [*urls.urlpatterns, path("demo/", include("portal.demo.urls"))]
