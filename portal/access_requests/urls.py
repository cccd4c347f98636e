"""Asking for access, one page for each request, lists."""

from django.urls import path

from portal.access_requests.views import asking, asking_several, incident, lists, page, questions

urlpatterns = [
    path("requests/", lists.requests, name="requests"),
    path("requests/new/", asking.request_new, name="request_new"),
    path("requests/bypass/", asking.request_bypass, name="request_bypass"),
    path("requests/several/", asking_several.request_several, name="request_several"),
    path("requests/ends/", asking.request_ends, name="request_ends"),
    path("incidents/", incident.incident_page, name="incident_page"),
    path("incidents/approve/", incident.incident_approve, name="incident_approve"),
    path("requests/<uuid:pk>/join/", incident.incident_join, name="incident_join"),
    path("requests/<uuid:pk>/", page.request_page, name="request_page"),
    path("requests/<uuid:pk>/live/", page.request_live, name="request_live"),
    path("requests/<uuid:pk>/seen/", page.request_seen, name="request_seen"),
    path("requests/<uuid:pk>/decide/", page.request_decide, name="request_decide"),
    path("requests/<uuid:pk>/withdraw/", page.request_withdraw, name="request_withdraw"),
    path("requests/<uuid:pk>/question/", questions.request_question, name="request_question"),
    path("questions/<uuid:pk>/answer/", questions.question_answer, name="question_answer"),
    path("requests/<uuid:pk>/supplement/", page.request_supplement, name="request_supplement"),
]
