"""The way in, one's own sign-ins, people, the first page."""

from django.urls import path

from portal.people.views import home, own, passkeys, people, resets, way_in

urlpatterns = [
    path("", home.home, name="home"),
    path("sign-in/", way_in.sign_in, name="sign_in"),
    path("sign-in/password/", way_in.first_password, name="first_password"),
    path("sign-in/code/", way_in.second_factor, name="second_factor"),
    path("sign-in/recovery/", way_in.recovery, name="recovery"),
    path("sign-in/enrol/", way_in.enrol, name="enrol"),
    path("passkey/options/", passkeys.options, name="passkey_options"),
    path("sign-out/", own.sign_out, name="sign_out"),
    path("step-up/", own.step_up, name="step_up"),
    path("me/sign-ins/", own.sign_ins, name="sign_ins"),
    path("me/sign-ins/<uuid:pk>/end/", own.sign_in_end, name="sign_in_end"),
    path("me/recovery-codes/", own.recovery_codes, name="recovery_codes"),
    path("me/password/", own.new_password, name="new_password"),
    path("me/passkeys/new/", passkeys.new, name="passkey_new"),
    path("me/passkeys/options/", passkeys.new_options, name="passkey_new_options"),
    path("me/passkeys/<uuid:pk>/name/", passkeys.rename, name="passkey_rename"),
    path("me/passkeys/<uuid:pk>/remove/", passkeys.remove, name="passkey_remove"),
    path("people/", people.people, name="people"),
    path("people/new/", people.person_new, name="person_new"),
    path("people/<uuid:pk>/", people.person_page, name="person_page"),
    path("people/<uuid:pk>/manager/", people.person_manager, name="person_manager"),
    path("people/<uuid:pk>/sponsor/", people.person_sponsor, name="person_sponsor"),
    path("people/<uuid:pk>/one-time-password/", people.one_time_password, name="one_time_password"),
    path("people/<uuid:pk>/factor-reset/", resets.new, name="reset_new"),
    path("resets/<uuid:pk>/", resets.page, name="reset_page"),
    path("resets/<uuid:pk>/decide/", resets.decide, name="reset_decide"),
    path("resets/<uuid:pk>/cancel/", resets.cancel, name="reset_cancel"),
    path("people/<uuid:pk>/left/", people.person_left, name="person_left"),
]
