"""Lists as files, and saved searches."""

from django.urls import path

from portal.lists import views

urlpatterns = [
    path("lists/", views.lists, name="lists"),
    path("lists/<slug:name>.csv", views.list_file, name="list_file"),
    path("searches/save/", views.search_save, name="search_save"),
    path("searches/<uuid:pk>/remove/", views.search_remove, name="search_remove"),
]
