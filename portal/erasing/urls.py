"""Legal holds and erasures."""

from django.urls import path

from portal.erasing import cut_views, views

urlpatterns = [
    path("erasing/", views.erasing_list, name="erasing"),
    path("erasing/<uuid:pk>/", views.erasure_page, name="erasure_page"),
    path("erasing/<uuid:pk>/decide/", views.erasure_decide, name="erasure_decide"),
    path("retention/", cut_views.retention, name="retention"),
    path("retention/<uuid:pk>/decide/", cut_views.cut_decide, name="cut_decide"),
    path("people/<uuid:pk>/erase/", views.erasure_new, name="erasure_new"),
    path("people/<uuid:pk>/hold/", views.hold_person, name="hold_person"),
    path("requests/<uuid:pk>/hold/", views.hold_case, name="hold_case"),
    path("holds/<uuid:pk>/", views.hold_page, name="hold_page"),
    path("holds/<uuid:pk>/ask-lift/", views.hold_ask_lift, name="hold_ask_lift"),
    path("holds/<uuid:pk>/decide/", views.hold_decide, name="hold_decide"),
]
