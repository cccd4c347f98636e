"""Every MUST of the C2SP pages that we use, numbered as they stand on the page, and the tests that hold us to it; what does not concern us, with the reason.

Sentences with MUST, MUST NOT or SHALL count, except those on the words themselves. Quotes are shortened to what binds; the pages are tlog-tiles,
tlog-checkpoint, signed-note, tlog-cosignature, tlog-witness and tlog-proof.
"""

from dataclasses import dataclass

NO_ML_DSA = "Our keys are Ed25519; ML-DSA-44 cosignatures are ignored as of unknown keys."
NO_SUBTREES = "The endpoint that cosigns subtrees is optional, and our witness does not serve it."
NO_ECDSA = "No ECDSA key is read or written."

SENTENCES = {
    "tlog-tiles": 19, "tlog-checkpoint": 5, "signed-note": 10, "tlog-cosignature": 16, "tlog-witness": 51, "tlog-proof": 3,
}  # fmt: skip


@dataclass(frozen=True)
class Must:
    """One demand: the page, the number of its sentence there, its words, and the names of its tests, or why none is needed."""

    page: str
    number: int
    quote: str
    tests: tuple[str, ...] = ()
    why_not: str = ""


def of(page: str, *rows: tuple[int, str, *tuple[str, ...]]) -> tuple[Must, ...]:
    """The demands of one page; a reason is a sentence, a test's name is not."""
    return tuple(
        Must(page, number, quote, *(((), said[0]) if " " in said[0] else (tuple(said),)))
        for number, quote, *said in rows
    )


MUSTS = (
    *of(
        "tlog-tiles",
        (1, "The Signed Tree Head MUST be served as a checkpoint at <prefix>/checkpoint",
         "test_the_signed_head_must_be_served_at_checkpoint", "test_the_head_and_resources_must_have_the_content_types_of_the_page"),
        (2, "the checkpoint MUST carry at least one Ed25519 signature by the log", "test_checkpoint_must_carry_an_ed25519_signature_by_the_log"),
        (3, "<L> MUST be a decimal ASCII integer between 0 and 63, with no additional leading zeroes",
         "test_level_must_be_between_0_and_63_without_leading_zeroes"),
        (4, "<N> MUST be a non-negative integer encoded into zero-padded 3-digit path elements",
         "test_must_tile_index_be_padded_three_digit_elements_all_but_the_last_with_an_x", "test_index_must_be_read_in_padded_three_digit_elements_alone"),
        (5, "All but the last path element MUST begin with an x",
         "test_must_tile_index_be_padded_three_digit_elements_all_but_the_last_with_an_x", "test_index_must_be_read_in_padded_three_digit_elements_alone"),
        (6, "Full tiles MUST be exactly 256 hashes wide", "test_full_tiles_must_be_256_hashes_of_full_tiles_below"),
        (7, "A partial tile MUST NOT be hashed into a tile at the level above", "test_partial_tiles_must_not_be_hashed_into_a_tile_above"),
        (8, "Empty tiles MUST NOT be served", "test_empty_tiles_must_not_be_served"),
        (9, "Logs MUST serve partial tiles corresponding to tree sizes for which a checkpoint was produced",
         "test_partial_tiles_are_served_for_each_size_of_which_a_checkpoint_was_produced"),
        (10, "Clients MUST NOT fetch arbitrary partial tiles without verifying a checkpoint with a size that requires their existence",
         "test_clients_must_not_fetch_partial_tiles_that_no_verified_checkpoint_requires"),
        (11, "the client MUST fetch the corresponding partial level 0 tile, and use that to verify the current checkpoint",
         "The verifier reads every bundle in full and does not skip partial ones."),
        (12, "the client MUST verify its consistency with the current checkpoint", "test_a_log_shorter_than_seen_or_of_another_history_is_not_whole"),
        (13, "If an entry bundle remains partial for too long, the client MUST fetch it", "The verifier fetches partial bundles at once."),
        (14, "logs that serve otherwise encoded entries MUST serve them at a different URL", "Entries are served in one encoding alone."),
        (15, "The minimum index MUST be less than or equal to the tree size", "test_a_cut_of_what_came_after_it_excuses_nothing"),
        (16, "Retention policies MUST only permit pruning an entry after it is no longer relevant",
         "test_neither_the_web_tier_nor_an_entry_of_its_making_cuts_what_is_young"),
        (17, "Without a policy for when pruning is permitted, logs MUST NOT be pruned",
         "test_a_cut_that_contradicts_itself_is_damage_and_excuses_nothing", "test_without_its_event_nothing_can_be_cut_and_what_is_missing_is_damage"),
        (18, "the minimum index value MUST be set to zero",
         "test_minimum_index_must_be_zero_without_a_cut", "test_a_cut_that_is_only_said_moves_no_beginning"),
        (19, "This lower bound MUST be set to at least the log's current minimum index",
         "No lower bound is defined: no client of this log rejects an entry for its index."),
    ),
    *of(
        "tlog-checkpoint",
        (1, "The origin MUST be non-empty",
         "test_checkpoint_that_could_not_be_read_is_not_written", "test_lines_must_be_non_empty_and_size_and_root_be_written_in_one_way"),
        (2, "clients MUST NOT assume that the origin is following this format", "test_clients_must_not_assume_a_form_of_the_origin"),
        (3, "Extension lines, if any, MUST be non-empty", "test_lines_must_be_non_empty_and_size_and_root_be_written_in_one_way"),
        (4, "A log MUST not sign any checkpoint which is inconsistent with any checkpoint it previously signed",
         "test_log_must_not_sign_what_is_inconsistent_with_a_checkpoint_it_signed"),
        (5, "clients MUST ignore unknown signatures", "test_clients_must_ignore_unknown_signatures"),
    ),
    *of(
        "signed-note",
        (1, "The text MUST be ignored unless the note is signed by a trusted key",
         "test_text_must_be_ignored_unless_a_trusted_key_signed", "test_verifiers_must_check_and_reject_a_wrong_signature_of_a_known_key"),
        (2, "Signed notes MUST be valid UTF-8 and MUST NOT contain any ASCII control characters",
         "test_notes_must_be_utf8_without_control_characters", "test_text_that_is_no_note_is_not_signed"),
        (3, "Key names MUST be non-empty and MUST NOT contain any Unicode spaces or plus",
         "test_key_names_must_be_non_empty_without_spaces_and_plus", "test_key_names_must_hold_in_signature_lines_and_in_keys"),
        (4, "Verifiers MUST accept at least up to 16 signatures", "test_verifiers_must_accept_16_signatures"),
        (5, "Verifiers MUST ignore signatures from unknown keys, even if they share a name or ID",
         "test_verifiers_must_ignore_signatures_of_unknown_keys_that_share_a_name_or_an_id"),
        (6, "If the key name and ID match a known key, verifiers MUST verify the signature",
         "test_verifiers_must_check_and_reject_a_wrong_signature_of_a_known_key"),
        (7, "If no signature from a known key verifies successfully, clients MUST reject the note",
         "test_text_must_be_ignored_unless_a_trusted_key_signed"),
        (8, "The ECDSA curve MUST be one of NIST P-256, P-384, P-521", NO_ECDSA),
        (9, "The key name and ID MUST match those used in the signatures", "test_key_name_and_id_must_match_in_a_verifier_key"),
        (10, "a different key ID MUST be used for each signature type", "test_a_different_key_id_must_be_used_for_each_signature_type"),
    ),
    *of(
        "tlog-cosignature",
        (1, "The key ID for Ed25519 cosignatures MUST be computed as", "test_key_id_is_made_as_the_page_says"),
        (2, "The key ID for ML-DSA-44 cosignatures MUST be computed as", "test_ml_dsa_cosignatures_are_ignored_as_of_unknown_keys"),
        (3, "The signature MUST be a timestamped_signature structure", "test_message_is_the_header_the_time_and_the_whole_text"),
        (4, "The timestamp MUST NOT exceed 2^63 - 1", "test_times_that_the_page_forbids_are_refused"),
        (5, "The signed message MUST be two lines followed by the whole note body", "test_message_is_the_header_the_time_and_the_whole_text"),
        (6, "The header line MUST be the fixed string cosignature/v1", "test_message_is_the_header_the_time_and_the_whole_text"),
        (7, "The timestamp line MUST consist of the string time, a single space, and the seconds",
         "test_message_is_the_header_the_time_and_the_whole_text"),
        (8, "Extension lines, if present, MUST be included in the cosigned message", "test_extension_lines_must_be_included_in_the_cosigned_message"),
        (9, "consensus between cosigners on the extension lines SHALL NOT be assumed", "test_consensus_on_extension_lines_shall_not_be_assumed"),
        (10, "cosigners with distinct statements MUST use distinct public keys", "test_settings_that_list_no_witness_are_refused"),
        (11, "The signed message MUST be a cosigned_message structure", NO_ML_DSA),
        (12, "If start is not zero, these values MUST be zero", NO_ML_DSA),
        (13, "If signing a checkpoint, start MUST be zero", NO_ML_DSA),
        (14, "If start is not zero, timestamp MUST be zero", NO_ML_DSA),
        (15, "A given tuple MUST imply a single set of statements", "Our witness makes the one statement that the page gives its cosignatures."),
        (16, "These statements MUST include the base cosignature semantics",
         "test_a_log_that_grows_is_cosigned_each_time", "test_must_not_cosign_what_fails"),
    ),
    *of(
        "tlog-witness",
        (1, "The request MUST be an HTTP POST", "test_the_request_must_be_a_post"),
        (2, "The request body MUST be old size, proof lines, an empty line, a checkpoint", "test_requests_are_written_as_they_are_read"),
        (3, "Each line MUST terminate in a newline", "test_the_lines_of_a_request_must_be_written_in_one_way"),
        (4, "The old size line MUST consist of old, a space and the size with no leading zeroes",
         "test_the_lines_of_a_request_must_be_written_in_one_way", "test_size_zero_must_be_written_as_0"),
        (5, "Each consistency proof line MUST encode a single hash in base64", "test_the_lines_of_a_request_must_be_written_in_one_way"),
        (6, "The client MUST NOT send more than 63 consistency proof lines", "test_the_lines_of_a_request_must_be_written_in_one_way"),
        (7, "The witness MUST verify the checkpoint signature, and MUST ignore signatures from unknown keys",
         "test_must_ignore_signatures_of_unknown_keys", "test_must_respond_403_without_a_good_signature"),
        (8, "If the checkpoint origin is unknown, the witness MUST respond with 404", "test_must_respond_404_to_an_unknown_origin_and_keep_nothing"),
        (9, "The witness MUST respond with 403 if no signature of a trusted key is present or one fails",
         "test_must_respond_403_without_a_good_signature", "test_must_respond_403_where_a_trusted_line_is_wrong_beside_a_good_one"),
        (10, "The old size MUST be equal to or lower than the checkpoint size", "test_must_respond_400_to_an_old_size_above_the_new"),
        (11, "Otherwise, the witness MUST respond with 400", "test_must_respond_400_to_an_old_size_above_the_new"),
        (12, "The witness MUST check that the old size matches the latest it cosigned",
         "test_must_respond_409_with_its_own_size_where_the_old_is_another"),
        (13, "If it doesn't match, the witness MUST respond with 409", "test_must_respond_409_with_its_own_size_where_the_old_is_another"),
        (14, "The response body MUST consist of the tree size, followed by a newline",
         "test_must_respond_409_with_its_own_size_where_the_old_is_another"),
        (15, "The response MUST have a Content-Type of text/x.tlog.size", "test_must_respond_409_with_its_own_size_where_the_old_is_another"),
        (16, "A checkpoint of size zero MUST have the root hash of the empty tree",
         "test_must_respond_422_to_another_root_of_the_same_size_and_to_another_empty_tree"),
        (17, "Otherwise, the witness MUST respond with 422", "test_must_respond_422_to_another_root_of_the_same_size_and_to_another_empty_tree"),
        (18, "If the old size is zero, the consistency proof MUST be empty", "test_must_respond_422_to_a_proof_where_nothing_was_seen"),
        (19, "the lines MUST encode a Merkle Consistency Proof from the old size to the checkpoint size",
         "test_must_respond_422_to_a_wrong_proof_and_remember_nothing_of_it"),
        (20, "If the proof is not empty when the old size is zero, or doesn't verify, the witness MUST respond with 422",
         "test_must_respond_422_to_a_proof_where_nothing_was_seen", "test_must_respond_422_to_a_wrong_proof_and_remember_nothing_of_it"),
        (21, "If the old size matches the checkpoint size, the witness MUST check that the root hashes are identical",
         "test_must_respond_422_to_another_root_of_the_same_size_and_to_another_empty_tree"),
        (22, "If they don't match, the witness MUST respond with 422",
         "test_must_respond_422_to_another_root_of_the_same_size_and_to_another_empty_tree"),
        (23, "it MUST NOT cosign what fails", "test_must_not_cosign_what_fails"),
        (24, "the witness MUST update its record and respond with 200", "test_a_log_that_grows_is_cosigned_each_time"),
        (25, "The response body MUST be a sequence of one or more note signature lines",
         "test_answers_must_be_cosignature_lines_with_a_time_by_the_witness"),
        (26, "The signatures MUST be cosignatures from the witness key(s) on the checkpoint",
         "test_answers_must_be_cosignature_lines_with_a_time_by_the_witness"),
        (27, "the cosignature MUST be for the entire tree", "test_answers_must_be_cosignature_lines_with_a_time_by_the_witness"),
        (28, "the timestamp MUST NOT be zero", "test_answers_must_be_cosignature_lines_with_a_time_by_the_witness"),
        (29, "The client MUST ignore any cosignatures from unknown keys",
         "test_an_answer_by_another_key_is_not_kept", "test_client_must_ignore_cosignatures_of_unknown_keys_beside_the_known"),
        (30, "The witness MUST persist the new checkpoint before responding", "test_must_persist_before_it_responds"),
        (31, "sign-subtree: the request MUST be an HTTP POST", NO_SUBTREES),
        (32, "The request body MUST be a range, a hash, proof lines, an empty line, a checkpoint", NO_SUBTREES),
        (33, "Each line MUST terminate in a newline", NO_SUBTREES),
        (34, "The subtree range line MUST consist of subtree, start and end", NO_SUBTREES),
        (35, "The subtree hash line MUST be the Merkle Tree hash of the subtree", NO_SUBTREES),
        (36, "Each consistency proof line MUST encode a single hash", NO_SUBTREES),
        (37, "The client MUST NOT send more than 63 consistency proof lines", NO_SUBTREES),
        (38, "The interval MUST be a valid subtree, and end MUST be at most the checkpoint size", NO_SUBTREES),
        (39, "If the request is invalid, the witness MUST respond with 400", NO_SUBTREES),
        (40, "The proof lines MUST encode a Subtree Consistency Proof", NO_SUBTREES),
        (41, "If it doesn't verify, the witness MUST respond with 422", NO_SUBTREES),
        (42, "If the checkpoint origin is unknown, the witness MUST respond with 404", NO_SUBTREES),
        (43, "The witness MUST verify that the checkpoint includes its own cosignature", NO_SUBTREES),
        (44, "If it can't, it MUST respond with 403", NO_SUBTREES),
        (45, "If all holds, the witness MUST respond with 200", NO_SUBTREES),
        (46, "The response body MUST be a sequence of note signature lines for the subtree", NO_SUBTREES),
        (47, "The cosignature format MUST support subtree cosigning", NO_SUBTREES),
        (48, "the timestamp MUST be zero", NO_SUBTREES),
        (49, "get-checkpoint: the request MUST be an HTTP GET",
         "test_the_latest_is_served_with_the_signatures_of_log_and_witness", "test_the_request_for_the_latest_must_be_a_get"),
        (50, "The response body MUST be a checkpoint, with the cosignatures of the witness and the signature of the log",
         "test_the_latest_is_served_with_the_signatures_of_log_and_witness"),
        (51, "If the witness has never cosigned, it MUST respond with 404", "test_the_latest_is_served_with_the_signatures_of_log_and_witness"),
    ),
    *of(
        "tlog-proof",
        (1, "The first line MUST be the string c2sp.org/tlog-proof@v1", "test_lines_must_be_in_order_and_written_in_one_way"),
        (2, "Applications MUST NOT implicitly trust the extra data", "test_applications_must_not_trust_extra_data"),
        (3, "The next line MUST start with index, a space, and the zero-based index with no leading zeroes",
         "test_lines_must_be_in_order_and_written_in_one_way", "test_size_zero_must_be_written_as_0"),
    ),
)  # fmt: skip
