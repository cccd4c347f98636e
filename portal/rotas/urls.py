"""Rotas, their swaps and absences."""

from django.urls import path

from portal.rotas import views

urlpatterns = [
    path("rotas/", views.rotas, name="rotas"),
    path("rotas/<uuid:pk>/", views.rota_page, name="rota_page"),
    path("rotas/<uuid:pk>/change/", views.rota_change, name="rota_change"),
    path("rotas/<uuid:pk>/retire/", views.rota_retire, name="rota_retire"),
    path("rotas/<uuid:pk>/swap/", views.rota_swap, name="rota_swap"),
    path("rotas/<uuid:pk>/away/", views.rota_away, name="rota_away"),
    path("rotas/swaps/<uuid:pk>/", views.swap_answer, name="swap_answer"),
    path("rotas/absences/<uuid:pk>/end/", views.absence_end, name="absence_end"),
    path("systems/<uuid:pk>/rotas/new/", views.rota_new, name="rota_new"),
]
