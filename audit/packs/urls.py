"""Addresses of packs and dossiers."""

from django.urls import path

from audit.packs import views

urlpatterns = [
    path("packs/", views.pack_list, name="pack_list"),
    path("packs/packs.csv", views.pack_file, name="pack_file"),
    path("packs/new/", views.pack_new, name="pack_new"),
    path("packs/<uuid:pk>/", views.pack_page, name="pack_page"),
    path("packs/<uuid:pk>/download/", views.pack_download, name="pack_download"),
    path("packs/<uuid:pk>/timestamp", views.pack_timestamp, name="pack_timestamp"),
    path("campaigns/<uuid:pk>/report/", views.campaign_report, name="campaign_report"),
    path("cases/<uuid:pk>/dossier/", views.case_dossier, name="case_dossier"),
    path("dossiers/<uuid:pk>/download/", views.dossier_download, name="dossier_download"),
]
