"""The register of sealed accounts."""

from django.urls import path

from portal.sealed.views import cards, register

urlpatterns = [
    path("sealed/", register.register, name="sealed"),
    path("sealed/new/", register.sealed_new, name="sealed_new"),
    path("sealed/<uuid:pk>/", register.sealed_page, name="sealed_page"),
    path("sealed/<uuid:pk>/decide/", register.sealed_decide, name="sealed_decide"),
    path("sealed/<uuid:pk>/secret/", register.sealed_lay_in, name="sealed_lay_in"),
    path("sealed/<uuid:pk>/test/", register.sealed_test, name="sealed_test"),
    path("sealed/<uuid:pk>/custodian/", register.sealed_hand_over, name="sealed_hand_over"),
    path("sealed/<uuid:pk>/retire/", register.sealed_retire, name="sealed_retire"),
    path("sealed/<uuid:pk>/drill/begin/", cards.cards_drill_begin, name="cards_drill_begin"),
    path("sealed/<uuid:pk>/drill/", cards.cards_drill, name="cards_drill"),
    path("sealed/<uuid:pk>/new-cards/", cards.cards_renew, name="cards_renew"),
    path("sealed/<uuid:pk>/used/", cards.offline_use, name="offline_use"),
    path("sealed/cards/<uuid:pk>/print/", cards.card_print, name="card_print"),
    path("sealed/cards/<uuid:pk>/hold/", cards.card_hold, name="card_hold"),
    path("sealed/uses/<uuid:pk>/confirm/", cards.use_confirm, name="use_confirm"),
]
