"""Pages of attestations."""

from django.urls import path

from portal.campaigns.views import lines, page

urlpatterns = [
    path("campaigns/", page.campaigns, name="campaigns"),
    path("campaigns/start/", page.campaign_start, name="campaign_start"),
    path("campaigns/<uuid:pk>/", page.campaign_page, name="campaign_page"),
    path("campaigns/<uuid:pk>/keep/", lines.campaign_keep, name="campaign_keep"),
    path("campaigns/<uuid:pk>/judging/", page.campaign_judging, name="campaign_judging"),
    path("campaigns/<uuid:pk>/close/", page.campaign_close, name="campaign_close"),
    path("campaigns/lines/<uuid:pk>/", lines.campaign_line, name="campaign_line"),
    path("campaigns/lines/<uuid:pk>/decide/", lines.item_decide, name="item_decide"),
]
