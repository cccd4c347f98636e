"""Who gets what: every address and method of the portal, asked by everybody who stands to its thing in some way.

One line for each address, method and thing; one column for each viewer of `scene.VIEWERS`: who asked, a teammate, approver, reviewer,
owner, auditor and administrator of the system, somebody whose roles have ended, an outsider, somebody not signed in.
The figure is the answer's status; `in`: sent to the sign-in. 302, 409 and 422 are answers to people who may: done, too late, not so.
What is asked for is never there (404) for those who may not see it; what is done by those who may not is refused (403).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any

from portal.clock import now
from portal.policy.forms import first_values
from portal.policy.rules import Policy
from tests.architecture.scene import VIEWERS, Scene
from tests.worlds import REASON

TABLE = """
# name                    thing                 ask tea app rev own aud adm exp out ano
# way in, one's own
home                 GET  -                     200 200 200 200 200 200 200 200 200 in
sign_in              GET  -                     302 302 302 302 302 302 302 302 302 200
sign_in              POST -                     302 302 302 302 302 302 302 302 302 200
first_password       GET  -                     302 302 302 302 302 302 302 302 302 302
first_password       POST -                     302 302 302 302 302 302 302 302 302 302
second_factor        GET  -                     302 302 302 302 302 302 302 302 302 302
second_factor        POST -                     302 302 302 302 302 302 302 302 302 302
recovery             GET  -                     200 200 200 200 200 200 200 200 200 302
recovery             POST -                     200 200 200 200 200 200 200 200 200 302
enrol                GET  -                     200 200 200 200 200 200 200 200 200 302
enrol                POST -                     200 200 200 200 200 200 200 200 200 302
passkey_options      POST -                     200 200 200 200 200 200 200 200 200 403
passkey_new          GET  -                     302 200 200 200 200 200 200 200 200 in
passkey_new          POST -                     302 200 200 200 200 200 200 200 200 in
passkey_new_options  POST -                     403 200 200 200 200 200 200 200 200 in
passkey_rename       POST passkey               302 403 403 403 403 403 403 403 403 in
passkey_remove       POST passkey               302 403 403 403 403 403 403 403 403 in
sign_out             POST -                     302 302 302 302 302 302 302 302 302 302
step_up              GET  -                     200 200 200 200 200 200 200 200 200 in
step_up              POST -                     200 200 200 200 200 200 200 200 200 in
sign_ins             GET  -                     200 200 200 200 200 200 200 200 200 in
sign_in_end          POST sign_in               302 403 403 403 403 403 403 403 403 in
recovery_codes       POST -                     200 200 200 200 200 200 200 200 200 in
new_password         GET  -                     200 200 200 200 200 200 200 200 200 in
new_password         POST -                     302 302 302 302 302 302 302 302 302 in
# people
people               GET  -                     403 403 403 403 403 403 200 403 403 in
person_new           GET  -                     403 403 403 403 403 403 200 403 403 in
person_new           POST -                     403 403 403 403 403 403 200 403 403 in
person_page          GET  person                404 404 404 404 404 404 200 404 404 in
person_manager       GET  person                404 404 404 404 404 404 200 404 404 in
person_manager       POST person                403 403 403 403 403 403 302 403 403 in
person_sponsor       GET  outside-person        404 404 404 404 404 404 200 404 404 in
person_sponsor       POST outside-person        403 403 403 403 403 403 302 403 403 in
one_time_password    POST person                403 403 403 403 403 403 200 403 403 in
reset_new            GET  person                404 404 404 404 404 404 200 404 404 in
reset_new            POST person                403 403 403 403 403 403 302 403 403 in
reset_page           GET  reset                 404 200 404 404 200 404 200 404 404 in
reset_decide         POST reset                 403 403 403 403 302 403 302 403 403 in
reset_cancel         POST reset                 403 302 403 403 403 403 302 403 403 in
person_left          POST person                403 403 403 403 403 403 302 403 403 in
personnel_lists      GET  -                     403 403 403 403 403 403 200 403 403 in
personnel_new        GET  -                     403 403 403 403 403 403 200 403 403 in
personnel_new        POST -                     403 403 403 403 403 403 422 403 403 in
personnel_page       GET  personnel             404 404 404 404 404 404 200 404 404 in
personnel_confirm    POST personnel             403 403 403 403 403 403 409 403 403 in
personnel_discard    POST personnel             403 403 403 403 403 403 302 403 403 in
# lists
figures              GET  -                     200 200 200 200 200 200 200 200 200 in
signals              GET  -                     200 200 200 200 200 200 200 200 200 in
lists                GET  -                     200 200 200 200 200 200 200 200 200 in
list_file            POST list-findings         200 200 200 200 200 200 200 200 200 in
list_file            POST list-people           403 403 403 403 403 403 200 403 403 in
list_file            POST list-systems          403 403 403 403 200 200 200 403 403 in
case_file            POST -                     200 200 200 200 200 200 200 200 200 in
search_save          POST -                     302 302 302 302 302 302 302 302 302 in
search_remove        POST search                302 403 403 403 403 403 403 403 403 in
# systems
systems              GET  -                     403 403 403 403 200 200 200 403 403 in
system_new           GET  kind                  403 403 403 403 403 403 200 403 403 in
system_new           POST kind                  403 403 403 403 403 403 302 403 403 in
system_page          GET  system                404 404 404 404 200 200 200 404 404 in
system_change        GET  system                404 404 404 404 200 404 200 404 404 in
system_change        POST system                403 403 403 403 302 403 302 403 403 in
privilege_new        GET  system                404 404 404 404 200 404 200 404 404 in
privilege_new        POST system                403 403 403 403 302 403 302 403 403 in
source_declare       GET  system                404 404 404 404 200 404 200 404 404 in
source_declare       POST system                403 403 403 403 302 403 302 403 403 in
system_test          POST system                403 403 403 403 200 403 200 403 403 in
dry_run              POST privilege             403 403 403 403 200 403 200 403 403 in
change_page          GET  change                404 404 404 404 200 200 200 404 404 in
change_decide        POST change                403 403 403 403 403 403 302 403 403 in
change_test          POST change                403 403 403 403 422 403 422 403 403 in
# legal holds and erasures
erasing              GET  -                     403 403 403 403 403 200 200 403 403 in
retention            GET  -                     403 403 403 403 403 200 200 403 403 in
retention            POST -                     403 403 403 403 403 403 422 403 403 in
cut_decide           POST cut                   403 403 403 403 403 403 302 403 403 in
erasure_new          GET  left-person           404 404 404 404 404 404 200 404 404 in
erasure_new          POST left-person           403 403 403 403 403 403 302 403 403 in
erasure_page         GET  erasure               404 404 404 404 404 200 200 404 404 in
erasure_decide       POST erasure               403 403 403 403 403 403 302 403 403 in
hold_person          GET  person                404 404 404 404 404 404 200 404 404 in
hold_person          POST person                403 403 403 403 403 403 302 403 403 in
hold_case            GET  waiting               404 404 404 404 404 404 200 404 404 in
hold_case            POST waiting               403 403 403 403 403 403 302 403 403 in
hold_page            GET  hold                  404 404 404 404 404 200 200 404 404 in
hold_ask_lift        POST hold                  403 403 403 403 403 403 409 403 403 in
hold_decide          POST hold                  403 403 403 403 403 403 302 403 403 in
hold_page            GET  said-hold             404 404 404 404 404 200 200 404 404 in
hold_ask_lift        POST said-hold             403 403 403 403 403 403 409 403 403 in
hold_decide          POST said-hold             403 403 403 403 403 403 302 403 403 in
# lost ranges of the log
lost_ranges          GET  -                     403 403 403 403 403 200 200 403 403 in
lost_ranges          POST -                     403 403 403 403 403 403 422 403 403 in
lost_range_page      GET  lost                  404 404 404 404 404 200 200 404 404 in
lost_range_decide    POST lost                  403 403 403 403 403 403 302 403 403 in
# emergency stops
stops                GET  -                     200 200 200 200 200 200 200 200 200 in
stop_all             GET  -                     403 403 403 403 403 403 200 403 403 in
stop_all             POST -                     403 403 403 403 403 403 302 403 403 in
stop_system          GET  system                404 404 200 404 200 404 200 404 404 in
stop_system          POST system                403 403 302 403 302 403 302 403 403 in
stop_page            GET  stop                  200 200 200 200 200 200 200 404 404 in
stop_ask_lift        POST stop                  403 403 403 403 409 403 409 403 403 in
stop_keep            POST stop                  403 403 403 403 302 403 302 403 403 in
stop_lift            POST stop                  403 403 403 403 403 403 302 403 403 in
# lists
role_new             GET  -                     403 403 403 403 403 403 200 403 403 in
role_new             POST -                     403 403 403 403 403 403 302 403 403 in
role_lend            GET  -                     403 403 200 403 403 403 403 403 403 in
role_lend            POST -                     403 403 302 403 403 403 403 403 403 in
role_take_back       POST loan                  403 403 302 403 403 403 403 403 403 in
role_page            GET  role                  200 404 404 404 200 200 200 404 404 in
role_decide          POST proposed-role         403 403 403 403 403 403 302 403 403 in
role_end             POST role                  403 403 403 403 403 403 302 403 403 in
eligibility_new      GET  -                     403 403 403 403 200 403 200 403 403 in
eligibility_new      POST -                     403 403 403 403 302 403 302 403 403 in
eligibility_page     GET  eligibility           200 404 404 200 200 200 200 404 404 in
eligibility_decide   POST proposed-eligibility  403 403 403 403 302 403 302 403 403 in
eligibility_revoke   POST eligibility           403 403 403 302 302 403 302 403 403 in
eligibility_shorten  POST eligibility           403 403 403 302 302 403 302 403 403 in
# policies
policies             GET  -                     200 200 200 200 200 200 200 200 200 in
policy_system        GET  system                200 200 200 200 200 200 200 404 404 in
policy_new           GET  system                404 404 404 404 404 404 200 404 404 in
policy_new           POST system                403 403 403 403 403 403 302 403 403 in
policy_version       GET  version               200 200 200 200 200 200 200 404 404 in
policy_approve       POST version               403 403 403 403 403 403 302 403 403 in
policy_confirm       GET  policy-held           404 404 404 404 404 404 200 404 404 in
policy_confirm       POST policy-held           403 403 403 403 403 403 302 403 403 in
policy_decline       POST version               403 403 403 403 403 403 302 403 403 in
# rotas
rotas                GET  -                     200 200 200 200 200 200 200 200 200 in
rota_new             GET  system                404 404 404 404 404 404 200 404 404 in
rota_new             POST system                403 403 403 403 403 403 302 403 403 in
rota_page            GET  rota                  404 404 200 404 200 200 200 404 404 in
rota_change          GET  rota                  404 404 404 404 404 404 200 404 404 in
rota_change          POST rota                  403 403 403 403 403 403 302 403 403 in
rota_retire          POST rota                  403 403 403 403 403 403 302 403 403 in
rota_swap            POST rota                  403 403 302 403 403 403 403 403 403 in
rota_away            POST rota                  403 403 302 403 403 403 302 403 403 in
swap_answer          POST swap                  403 403 302 403 403 403 403 403 403 in
absence_end          POST absence               403 403 302 403 403 403 302 403 403 in
# requests and grants
requests             GET  -                     200 200 200 200 200 200 200 200 200 in
request_new          GET  -                     200 200 200 200 200 200 200 200 200 in
request_new          GET  chosen                200 200 404 404 404 404 404 404 404 in
request_new          POST chosen                302 302 403 403 403 403 403 403 403 in
request_bypass       GET  -                     200 200 200 200 200 200 200 200 200 in
request_bypass       GET  chosen                200 200 404 404 404 404 404 404 404 in
request_bypass       POST chosen                302 302 403 403 403 403 403 403 403 in
request_ends         GET  -                     200 200 200 200 200 200 200 200 200 in
request_several      GET  -                     200 200 200 200 200 200 200 200 200 in
request_several      POST -                     200 200 200 200 200 200 200 200 200 in
incident_page        GET  incident              200 200 200 200 200 200 200 404 404 in
incident_approve     POST -                     403 403 302 403 403 403 403 403 403 in
incident_join        POST waiting               403 302 403 403 403 403 403 403 403 in
request_page         GET  waiting               200 404 200 200 200 200 200 404 404 in
request_live         GET  waiting               200 404 200 200 200 200 200 404 404 in
request_seen         POST waiting               403 403 302 403 403 403 403 403 403 in
request_decide       POST waiting               403 403 302 403 403 403 403 403 403 in
request_withdraw     POST waiting               302 403 403 403 403 403 403 403 403 in
request_question     POST waiting               403 403 302 302 302 403 403 403 403 in
question_answer      POST question              302 403 403 403 403 403 403 403 403 in
request_supplement   GET  owing                 200 404 404 404 404 404 404 404 404 in
request_supplement   POST owing                 302 403 403 403 403 403 403 403 403 in
grant_reveal         GET  grant                 302 404 404 404 404 404 404 404 404 in
grant_reveal         POST grant                 200 403 403 403 403 403 403 403 403 in
grant_return         POST grant                 302 403 403 403 403 403 403 403 403 in
grant_extend         POST grant                 409 403 403 403 403 403 403 403 403 in
grant_revoke         GET  grant                 404 404 200 404 200 404 200 404 404 in
grant_revoke         POST grant                 403 403 302 403 302 403 302 403 403 in
bypass_extend        POST grant                 422 403 403 403 403 403 403 403 403 in
extension_decide     POST extension             403 403 302 403 302 403 403 403 403 in
# sealed accounts
sealed               GET  -                     403 403 200 200 200 200 200 403 403 in
sealed_new           GET  -                     403 403 403 403 200 403 200 403 403 in
sealed_new           POST -                     403 403 403 403 302 403 302 403 403 in
sealed_page          GET  sealed                404 404 200 200 200 200 200 404 404 in
sealed_decide        POST proposed-sealed       403 403 403 403 403 403 302 403 403 in
sealed_lay_in        POST sealed                403 403 403 403 403 403 403 403 403 in
sealed_test          POST sealed                403 403 403 403 403 403 403 403 403 in
sealed_hand_over     POST sealed                403 403 403 403 302 403 302 403 403 in
sealed_retire        POST sealed                403 403 403 403 302 403 302 403 403 in
card_print           POST card                  403 403 403 403 403 403 403 403 403 in
card_hold            POST card                  403 403 403 403 403 403 403 403 403 in
use_confirm          POST offline-review        403 403 302 403 302 403 302 403 403 in
cards_drill_begin    POST cards                 403 403 409 403 403 403 403 403 403 in
cards_drill          POST cards                 403 403 409 403 403 403 403 403 403 in
cards_renew          POST cards                 403 403 302 403 403 403 403 403 403 in
offline_use          GET  cards                 200 404 200 404 404 404 404 404 404 in
offline_use          POST cards                 302 403 302 403 403 403 403 403 403 in
grant_release        POST sealed-grant          403 403 302 403 302 403 302 403 403 in
# findings
findings             GET  -                     200 200 200 200 200 200 200 200 200 in
finding_raise        GET  -                     403 403 200 200 200 403 200 403 403 in
finding_raise        POST -                     403 403 302 302 302 403 302 403 403 in
finding_page         GET  finding               404 404 200 200 200 200 200 404 404 in
finding_assign       POST finding               403 403 403 403 409 403 409 403 403 in
finding_answer       POST finding               403 403 403 403 302 403 403 403 403 in
finding_due          POST finding               403 403 403 403 403 403 302 403 403 in
finding_retest       POST finding               403 403 403 409 409 403 409 403 403 in
finding_close        POST finding               403 403 403 409 403 403 409 403 403 in
# reviews
reviews              GET  -                     200 200 200 200 200 200 200 200 200 in
review_page          GET  review-taken          404 404 404 200 200 200 200 404 404 in
review_page          GET  offline-review        404 404 404 200 200 200 200 404 404 in
review_moved         GET  offline-review        404 404 404 302 302 302 302 404 404 in
review_claim         POST offline-review        403 403 403 302 403 403 403 403 403 in
review_claim         POST review-due            403 403 403 302 403 403 403 403 403 in
review_hand_over     POST review-taken          403 403 403 302 403 403 403 403 403 in
review_save          POST review-taken          403 403 403 302 403 403 403 403 403 in
review_submit        POST review-taken          403 403 403 422 403 403 403 403 403 in
review_acts          GET  review-taken          404 404 404 200 200 200 200 404 404 in
review_accept        POST review-taken          403 403 403 422 403 403 403 403 403 in
review_judges        GET  -                     403 403 403 403 200 403 403 403 403 in
review_on_screen     POST review-taken          403 403 403 204 403 403 403 403 403 in
review_after         GET  review-taken          404 404 404 200 200 200 200 404 404 in
review_change        POST review-taken          403 403 403 302 302 403 403 403 403 in
review_privacy       POST review-taken          403 403 403 302 302 403 403 403 403 in
review_notice        POST review-taken          403 403 403 409 409 403 403 403 403 in
review_take_back     POST acceptance            403 403 403 302 403 403 403 403 403 in
review_away          GET  -                     403 403 403 200 403 403 403 403 403 in
review_away          POST -                     403 403 403 302 403 403 403 403 403 in
review_back          POST delegation            403 403 403 302 403 403 403 403 403 in
review_second        POST review-taken          403 403 403 409 403 403 403 403 403 in
# attestations
campaigns            GET  -                     200 200 200 200 200 200 200 200 200 in
campaign_start       POST -                     403 403 403 403 403 403 409 403 403 in
campaign_page        GET  campaign              404 404 404 200 200 200 200 404 404 in
campaign_line        GET  item                  404 404 404 200 200 200 200 404 404 in
campaign_keep        POST campaign              403 403 403 403 302 403 403 403 403 in
campaign_report      POST campaign              403 403 403 200 200 200 200 403 403 in
campaign_judging     GET  campaign              404 404 404 404 200 200 200 404 404 in
campaign_close       POST campaign              403 403 403 403 422 403 422 403 403 in
item_decide          GET  item                  404 404 404 302 302 302 302 404 404 in
item_decide          POST item                  403 403 403 403 302 403 403 403 403 in
# drills
drills               GET  -                     200 200 200 200 200 200 200 200 200 in
drill_new            GET  -                     200 200 200 200 200 200 200 200 200 in
drill_new            GET  chosen                200 200 404 404 404 404 404 404 404 in
drill_new            POST chosen                302 302 403 403 403 403 403 403 403 in
drill_page           GET  drill                 200 200 200 200 200 200 200 404 404 in
# calendar
calendar             GET  -                     200 200 200 200 200 200 200 200 200 in
calendar_feed        GET  feed                  200 200 200 200 200 200 200 200 200 200
# alerts, health
alerts               GET  -                     200 200 200 200 200 200 200 200 200 in
alert_acknowledge    POST alert                 403 403 302 403 403 403 403 403 403 in
alert_link           GET  link                  403 403 200 403 403 403 403 403 403 200
alert_link           POST link                  403 403 302 403 403 403 403 403 403 302
receivers            GET  -                     403 403 403 403 403 403 200 403 403 in
receiver_new         GET  -                     403 403 403 403 403 403 200 403 403 in
receiver_new         POST -                     403 403 403 403 403 403 200 403 403 in
receiver_page        GET  receiver              404 404 404 404 404 404 200 404 404 in
receiver_page        POST receiver              403 403 403 403 403 403 302 403 403 in
receiver_secret      POST receiver              403 403 403 403 403 403 200 403 403 in
receiver_try         POST receiver              403 403 403 403 403 403 302 403 403 in
receiver_retire      POST receiver              403 403 403 403 403 403 302 403 403 in
health_live          GET  -                     200 200 200 200 200 200 200 200 200 200
health_ready         GET  -                     200 200 200 200 200 200 200 200 200 200
status_page          GET  -                     403 403 403 403 200 200 200 403 403 in
# cases, papers, log
case_list            GET  -                     200 200 200 200 200 200 200 200 200 in
incident_cases       GET  incident              200 404 200 200 200 200 200 404 404 in
incident_timeline    GET  incident              200 404 200 200 200 200 200 404 404 in
case_page            GET  case                  200 404 200 200 200 200 200 404 404 in
case_activity        GET  case                  200 404 200 200 200 200 200 404 404 in
case_acts            GET  case                  200 404 200 200 200 200 200 404 404 in
case_act_rows        GET  case                  200 404 200 200 200 200 200 404 404 in
case_statements      GET  case                  200 404 200 200 200 200 200 404 404 in
pack_list            GET  -                     403 403 403 403 403 200 403 403 403 in
pack_file            POST -                     403 403 403 403 403 200 403 403 403 in
pack_new             GET  -                     403 403 403 403 403 200 403 403 403 in
pack_new             POST -                     403 403 403 403 403 422 403 403 403 in
pack_page            GET  pack                  404 404 404 404 404 200 404 404 404 in
pack_timestamp       GET  pack                  404 404 404 404 404 404 404 404 404 in
pack_download        POST pack                  403 403 403 403 403 200 403 403 403 in
case_dossier         GET  case                  200 404 200 200 200 200 200 404 404 in
dossier_download     POST dossier               200 403 200 200 200 200 200 403 403 in
log_page             GET  -                     403 403 403 403 403 200 403 403 403 in
log_checkpoint       GET  -                     200 200 200 200 200 200 200 200 200 in
log_grown            GET  size                  200 200 200 200 200 200 200 200 200 in
log_entry            GET  entry                 404 404 404 404 404 200 404 404 404 in
log_bytes            GET  entry                 404 404 404 404 404 200 404 404 404 in
log_proof            GET  entry                 404 404 404 404 404 200 404 404 404 in
# demo
demo_personas        GET  -                     200 200 200 200 200 200 200 200 200 200
demo_mails           GET  -                     200 200 200 200 200 200 200 200 200 200
demo_mail_attachment GET  mail                  404 404 404 404 404 404 404 404 404 404
demo_tamper          GET  -                     404 404 404 404 404 404 404 404 404 404
demo_tamper          POST -                     404 404 404 404 404 404 404 404 404 404
demo_try             GET  grant                 404 404 404 404 404 404 404 404 404 in
demo_try             POST grant                 404 404 404 404 404 404 404 404 404 in
"""


@dataclass(frozen=True)
class Row:
    """What each viewer gets, by viewer."""

    name: str
    method: str
    thing: str
    answers: Mapping[str, str]


def rows() -> tuple[Row, ...]:
    """The table, read strictly: a line with too few or too many columns is an error."""
    lines = [line.split() for line in TABLE.splitlines() if line.strip() and not line.startswith("#")]
    return tuple(
        Row(name, method, thing, dict(zip(VIEWERS, answers, strict=True))) for name, method, thing, *answers in lines
    )


_CHANGES = count(1)


def _soon(days: int = 5) -> str:
    return (now() + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M")


def _policy(_: Scene) -> dict[str, Any]:
    said = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in {**first_values(Policy(max_grant_minutes=95)), "review_days": 365}.items()
    }
    sent = {name: "on" if value is True else value for name, value in said.items() if value is not False}
    return {**sent, "review_days": 365}


def _described(scene: Scene) -> dict[str, Any]:
    return {
        "name": "New", "slug": "new", "owner": scene.world.mo.pk, "criticality": "normal", "way_in": "Call.", "state_path": "/nowhere/x.db",
        "privileges": "x",
    }  # fmt: skip


# What a form sends; whoever may do the act must be able to do it with this.
SENT: dict[str, Callable[[Scene], dict[str, Any]]] = {
    "alert_acknowledge": lambda _: {},
    "alert_link": lambda _: {},
    "receiver_new": lambda _: {"name": "Pager", "url": "https://pager.example/hook", "topics": ["call"]},
    "receiver_page": lambda _: {"name": "Pager", "url": "", "topics": ["use"]},
    "campaign_keep": lambda scene: {"lines": [scene.things["item"]["pk"]], "reason": "Needed."},
    "campaign_start": lambda scene: {"kind": "eligibility", "system": scene.world.system.pk},
    "change_decide": lambda _: {"decision": "approve"},
    "dry_run": lambda _: {"minutes": 30},
    "eligibility_decide": lambda _: {"decision": "approve"},
    "eligibility_new": lambda scene: {"person": scene.world.kim.pk, "privilege": scene.world.privilege.pk, "from_at": _soon(1)},
    "eligibility_shorten": lambda _: {"to_at": _soon()},
    "extension_decide": lambda _: {"decision": "give"},
    "finding_answer": lambda _: {"cause": "A full disk.", "response": "A bigger one."},
    "finding_assign": lambda scene: {"owner": scene.world.mo.pk, "due_at": _soon()},
    "finding_close": lambda _: {"retest_ok": "1", "comment": "It holds."},
    "finding_due": lambda _: {"due_at": _soon(), "reason": "Parts are late."},
    "finding_raise": lambda scene: {"system": scene.world.system.pk, "title": "A gap", "details": ""},
    "bypass_extend": lambda _: {"minutes": 10},
    "grant_extend": lambda _: {"minutes": 10},
    "grant_revoke": lambda _: {"reason": "Wrong system."},
    "incident_approve": lambda scene: {"requests": [scene.things["waiting"]["pk"]], "ref": "INC-1"},
    "incident_join": lambda scene: {"privilege": scene.world.privilege.pk, "reason": f"{REASON} I look at it too."},
    "item_decide": lambda scene: {f"{scene.things['item']['pk']}-{name}": said for name, said in (("decision", "revoke"), ("reason", "Left the team."))},
    "new_password": lambda _: {"password": "another long one for tests", "again": "another long one for tests"},
    "reset_new": lambda _: {"reason": "The phone is gone; I called back."},
    "reset_decide": lambda _: {"decision": "approve"},
    "erasure_new": lambda _: {"basis": "asked", "reason": "They asked by letter."},
    "retention": lambda _: {"minimum": "256", "reason": "Their time has come."},
    "cut_decide": lambda _: {"decision": "decline"},
    "erasure_decide": lambda _: {"decision": "confirm"},
    "hold_person": lambda _: {"reason": "A court case."},
    "hold_case": lambda _: {"reason": "A court case."},
    "hold_ask_lift": lambda _: {"reason": "It is over."},
    "lost_ranges": lambda _: {"from_at": "2026-01-01T10:00:00Z", "to_at": "2026-01-01T10:00:01Z", "reason": "The primary burned."},
    "lost_range_decide": lambda _: {"decision": "sign"},
    "hold_decide": lambda _: {"decision": "lift"},
    "passkey_rename": lambda _: {"name": "Red key"},
    "pack_download": lambda _: {"purpose": "Yearly audit."},
    "pack_new": lambda scene: {"first": "2026-01-01", "last": "2026-01-31", "systems": [scene.world.system.pk], "purpose": "Yearly audit of access."},
    "person_manager": lambda scene: {"manager": scene.world.mo.pk},
    "person_sponsor": lambda scene: {"sponsor": scene.world.mo.pk, "contract_end": _soon(9), "reason": "Prolonged."},
    "person_new": lambda _: {"name": "Noa", "email": "noa@example.org"},
    "policy_new": _policy,
    "policy_confirm": lambda _: {"note": "Read the uses of the year."},
    "privilege_new": lambda _: {"name": "All", "on_target": "all_of_it"},
    "rota_new": lambda scene: {"name": "Another", "weekday": 0, "hour": 9, "zone": "UTC", f"place_{scene.world.ines.pk}": "1"},
    "rota_change": lambda scene: {"name": "Nights", "weekday": 2, "hour": 8, "zone": "UTC", f"place_{scene.world.ines.pk}": "1"},
    "rota_swap": lambda scene: {"week": scene.things["weeks"]["mine"], "other_week": scene.things["weeks"]["other"]},
    "rota_away": lambda scene: {"person": scene.world.ines.pk, "from_at": _soon(2), "to_at": _soon(4)},
    "swap_answer": lambda _: {"decision": "take"},
    "request_bypass": lambda _: {"criterion": "outage", "reason": "Writes fail."},
    "request_decide": lambda _: {"decision": "approve"},
    "request_new": lambda _: {
        "criterion": "outage", "reason": f"{REASON} Again.", "category": "availability", "intended_classes": ["data_read"],
        "incident_ref": "INC-7", "minutes": 30,
    },
    "request_question": lambda _: {"question": "Which disk?"},
    "question_answer": lambda _: {"answer": "The second one."},
    "request_supplement": lambda _: {"incident_ref": "INC-9"},
    "review_accept": lambda _: {"accepted": "nothing", "note": "Needed."},
    "review_away": lambda scene: {"person": scene.world.lea.pk, "system": scene.world.system.pk, "to_at": _soon(3)},
    "review_change": lambda _: {
        "reference": f"CHG-{next(_CHANGES)}", "raised_at": "2026-01-01T00:00", "disposition": "kept", "kinds": ["schema_change"]
    },
    "review_privacy": lambda _: {"finding": "none", "reason": "Only totals were read."},
    "review_notice": lambda _: {"notified_at": "2026-01-01T00:00"},
    "review_hand_over": lambda _: {"comment": "Away."},
    "role_lend": lambda scene: {"person": scene.world.mo.pk, "system": scene.world.system.pk, "to_at": _soon(3)},
    "role_decide": lambda _: {"decision": "approve"},
    "role_new": lambda scene: {"person": scene.world.lea.pk, "role": "auditor", "system": scene.world.system.pk, "from_at": _soon(1)},
    "cards_drill": lambda _: {"answer": "aaaaaaaa"},
    "offline_use": lambda _: {"from_at": _soon(-2), "to_at": _soon(-1), "criterion": "outage", "reason": "The portal was dead; cards were fetched."},
    "sealed_decide": lambda _: {"decision": "approve"},
    "sealed_hand_over": lambda scene: {"custodian": scene.world.ines.pk},
    "sealed_lay_in": lambda _: {"password": "a secret of the vault"},
    "sealed_new": lambda scene: {
        "system": scene.world.system.pk, "name": "Root", "account": "root", "location": "The console.", "custodian": scene.world.ines.pk,
        "kept_by": "custodian",
    },
    "source_declare": lambda _: {
        "counting": "dense", "log_dir": "/nowhere", "portal_login": "portal", "lateness_ms": 60_000, "heartbeat_ms": 30_000
    },
    "drill_new": lambda _: {"act": "Sign in, read the health page, sign out again.", "minutes": "10"},
    "stop_all": lambda _: {"reason": "Somebody is in."},
    "stop_ask_lift": lambda _: {"reason": "Nobody is in."},
    "stop_keep": lambda _: {"reason": "Not yet."},
    "stop_system": lambda _: {"reason": "Somebody is in."},
    "search_save": lambda _: {"kind": "findings", "query": "show=mine", "name": "Mine"},
    "system_change": _described,
    "system_new": _described,
}  # fmt: skip
