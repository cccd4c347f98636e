"""Pages of attestations."""

from django.urls import path

from portal.campaigns import views

urlpatterns = [
    path("campaigns/", views.campaigns, name="campaigns"),
    path("campaigns/start/", views.campaign_start, name="campaign_start"),
    path("campaigns/<uuid:pk>/", views.campaign_page, name="campaign_page"),
    path("campaigns/<uuid:pk>/keep/", views.campaign_keep, name="campaign_keep"),
    path("campaigns/<uuid:pk>/judging/", views.campaign_judging, name="campaign_judging"),
    path("campaigns/<uuid:pk>/close/", views.campaign_close, name="campaign_close"),
    path("campaigns/lines/<uuid:pk>/", views.campaign_line, name="campaign_line"),
    path("campaigns/lines/<uuid:pk>/decide/", views.item_decide, name="item_decide"),
]
