"""Pages of attestations."""

from django.urls import path

from portal.campaigns import views

urlpatterns = [
    path("campaigns/", views.campaigns, name="campaigns"),
    path("campaigns/start/", views.campaign_start, name="campaign_start"),
    path("campaigns/<uuid:pk>/", views.campaign_page, name="campaign_page"),
    path("campaigns/<uuid:pk>/close/", views.campaign_close, name="campaign_close"),
    path("campaigns/lines/<uuid:pk>/decide/", views.item_decide, name="item_decide"),
]
