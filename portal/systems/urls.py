"""Systems and proposals about them."""

from django.urls import path

from portal.systems import views

urlpatterns = [
    path("systems/", views.systems, name="systems"),
    path("systems/new/<slug:kind>/", views.system_new, name="system_new"),
    path("systems/<uuid:pk>/", views.system_page, name="system_page"),
    path("systems/<uuid:pk>/change/", views.system_change, name="system_change"),
    path("systems/<uuid:pk>/privileges/new/", views.privilege_new, name="privilege_new"),
    path("systems/<uuid:pk>/source/", views.source_declare, name="source_declare"),
    path("systems/<uuid:pk>/test/", views.system_test, name="system_test"),
    path("privileges/<uuid:pk>/dry-run/", views.dry_run, name="dry_run"),
    path("changes/<uuid:pk>/", views.change_page, name="change_page"),
    path("changes/<uuid:pk>/decide/", views.change_decide, name="change_decide"),
    path("changes/<uuid:pk>/test/", views.change_test, name="change_test"),
]
