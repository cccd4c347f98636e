"""Personnel lists."""

from django.urls import path

from portal.personnel import views

urlpatterns = [
    path("people/lists/", views.personnel_lists, name="personnel_lists"),
    path("people/lists/new/", views.personnel_new, name="personnel_new"),
    path("people/lists/<uuid:pk>/", views.personnel_page, name="personnel_page"),
    path("people/lists/<uuid:pk>/confirm/", views.personnel_confirm, name="personnel_confirm"),
    path("people/lists/<uuid:pk>/discard/", views.personnel_discard, name="personnel_discard"),
]
