"""Addresses of cases."""

from django.urls import path

from audit.cases import incident_views, views

urlpatterns = [
    path("cases/", views.case_list, name="case_list"),
    path("cases/cases.csv", views.case_file, name="case_file"),
    path("cases/incident/", incident_views.incident_cases, name="incident_cases"),
    path("cases/incident/timeline/", incident_views.incident_timeline, name="incident_timeline"),
    path("cases/<uuid:pk>/", views.case_page, name="case_page"),
    path("cases/<uuid:pk>/activity/", views.case_activity, name="case_activity"),
    path("cases/<uuid:pk>/acts/", views.case_acts, name="case_acts"),
    path("cases/<uuid:pk>/acts/rows/", views.case_act_rows, name="case_act_rows"),
    path("cases/<uuid:pk>/statements/", views.case_statements, name="case_statements"),
]
