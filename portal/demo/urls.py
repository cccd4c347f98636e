"""Pages of the demo."""

from django.urls import path

from portal.demo import views

urlpatterns = [
    path("", views.personas, name="demo_personas"),
    path("mails/", views.mail_list, name="demo_mails"),
    path("mails/<str:name>/<str:wanted>", views.mail_attachment, name="demo_mail_attachment"),
    path("tamper/", views.tamper, name="demo_tamper"),
    path("try/<uuid:pk>/", views.try_statements, name="demo_try"),
]
