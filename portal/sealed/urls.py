"""The register of sealed accounts."""

from django.urls import path

from portal.sealed import views

urlpatterns = [
    path("sealed/", views.register, name="sealed"),
    path("sealed/new/", views.sealed_new, name="sealed_new"),
    path("sealed/<uuid:pk>/", views.sealed_page, name="sealed_page"),
    path("sealed/<uuid:pk>/decide/", views.sealed_decide, name="sealed_decide"),
    path("sealed/<uuid:pk>/secret/", views.sealed_lay_in, name="sealed_lay_in"),
    path("sealed/<uuid:pk>/test/", views.sealed_test, name="sealed_test"),
    path("sealed/<uuid:pk>/custodian/", views.sealed_hand_over, name="sealed_hand_over"),
    path("sealed/<uuid:pk>/retire/", views.sealed_retire, name="sealed_retire"),
]
