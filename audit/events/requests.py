"""What a responder asks, and what others answer. The case is the access request."""

from audit.events.spec import family

EVENTS = family(
    ("request.made", "A responder asked for access, or took it by bypass.",
     "responder_id:id system_id:id system_name privilege_id:id privilege_name mode category:text? criterion:text? reason*? reason_length:int reason_repeats:bool "
     "intended_classes:list incident_ref:text? minutes:int policy_id:id policy_number:int policy_sha256 approvals_needed:int asked:list told:list skipped:list? "
     "owed:list? lapses_at:time? ends_about:time factor? weaker_factor:bool? joins_id:id? rota:text? unmanned:list? groups:list?"),
    ("request.supplemented", "What a bypass owed was given.", "category:text? reason*? reason_length:int? intended_classes:list? incident_ref:text?"),
    ("request.passed_on", "Nobody had seen it in time, so the next approvers were told.", "tier:int told:list waited_minutes:int rota:text? unmanned:list? groups:list?"),
    ("request.seen", "An approver has seen the request; this decides nothing.", "person_id:id"),
    ("request.questioned", "Somebody who decides, owns or reviews asked the responder something.", "question_id:id text*"),
    ("request.answered", "The responder answered a question.", "question_id:id text*"),
    ("request.approved", "An approver said yes.", "approval_id:id comment*? approvals:int approvals_needed:int delegated_by:id? group:text?"),
    ("request.declined", "An approver said no.", "approval_id:id comment*"),
    ("request.withdrawn", "The responder took the request back.", "comment*?"),
    ("request.lapsed", "Nobody answered in the policy's time.", "asked_at:time"),
    ("request.refused", "A request was refused.", "act code kind sentence"),
    ("request.refused_often", "What one person wanted opened on a system was refused again and again; it was told.", "person_id:id system_id:id times:int first_at:time last_at:time"),
    ("request.approval_refused", "A decision on a request was refused.", "act code kind sentence"),
    ("request.act_refused", "Another act on a request was refused.", "act code kind sentence"),
)  # fmt: skip
