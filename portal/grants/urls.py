"""Acts on a grant. Its page is that of its request."""

from django.urls import path

from portal.grants import views

urlpatterns = [
    path("grants/<uuid:pk>/reveal/", views.grant_reveal, name="grant_reveal"),
    path("grants/<uuid:pk>/release/", views.grant_release, name="grant_release"),
    path("grants/<uuid:pk>/return/", views.grant_return, name="grant_return"),
    path("grants/<uuid:pk>/extend/", views.grant_extend, name="grant_extend"),
    path("grants/<uuid:pk>/revoke/", views.grant_revoke, name="grant_revoke"),
    path("grants/<uuid:pk>/extend-bypass/", views.bypass_extend, name="bypass_extend"),
    path("extensions/<uuid:pk>/decide/", views.extension_decide, name="extension_decide"),
]
