"""Pages of drills."""

from django.urls import path

from portal.drills import views

urlpatterns = [
    path("drills/", views.drills, name="drills"),
    path("drills/new/", views.drill_new, name="drill_new"),
    path("drills/<uuid:pk>/", views.drill_page, name="drill_page"),
]
