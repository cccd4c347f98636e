"""Systems, privileges and what was found on targets."""

from audit.events.spec import family

SYSTEM = "system_id:id slug name owner_id:id criticality personal_data:bool connector reads_back:bool lists_access:bool in_scope_from:time"
RULE = "narrows:bool changed_by:id beneficiary_id:id? approved_by:id? approved_at:time? effective_at:time"
DECIDED = (
    " proposal_id:id? changed_by:id? approved_by:id? approved_at:time?"  # since the first administrators, by two people
)

EVENTS = family(
    ("system.registered", "A system came into scope.", SYSTEM + DECIDED),
    ("system.changed", "A system's description or settings changed.", SYSTEM + " changed:list major:bool?" + DECIDED),
    ("system.change_proposed", "A change of a system waits for a second administrator.", "proposal_id:id system_id:id? kind changed:list"),
    ("system.change_declined", "A proposed change of a system was declined.", "proposal_id:id system_id:id? kind"),
    ("system.act_refused", "An act on a system was refused.", "act code kind sentence"),
    ("privilege.added", "A privilege can be asked for.", "privilege_id:id system_id:id name on_target" + DECIDED),
    ("source.declared", "A source of activity was declared.", "source_id:id system_id:id kind counting settings:map " + RULE),
    ("source.withdrawn", "A source was withdrawn.", "source_id:id system_id:id " + RULE),
    ("source.heartbeat_sent", "A marked act was done on the target.", "source_id:id system_id:id nonce sent_at:time sessions_counted:int? stats_epoch:text? settings_sha256:text?"),
    ("connector.tested", "A connection was tested.", "system_id:id ok:bool checks:list"),
    ("target.listed", "Who could act as a privilege on the target was listed.", "listing_id:id system_id:id taken_at:time query_sha256 answer_sha256 count:int due_from:time? campaign_id:id? logins*?"),
    ("target.login_listed", "One login of a listing.", "listing_id:id system_id:id privilege_id:id? login_ref login* grant_id:id? person_id:id? seen_in_log:bool request_count:int"),
    ("target.listing_failed", "A listing that was due was not taken.", "system_id:id sentence due_from:time"),
    ("configuration.changed", "A row of configuration changed.", "model object_id:id operation changed:list event_id:id?"),
)  # fmt: skip
