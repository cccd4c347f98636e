"""Every MUST of the C2SP pages that we use, and the test that holds us to it; what does not concern us, with the reason.

Quotes are shortened to what binds: the pages are tlog-tiles, tlog-checkpoint, signed-note, tlog-cosignature, tlog-witness and tlog-proof.
"""

from dataclasses import dataclass

NO_ML_DSA = "Our keys are Ed25519; ML-DSA-44 cosignatures are ignored as of unknown keys."
NO_SUBTREES = "The endpoint that cosigns subtrees is optional, and our witness does not serve it."
NO_ECDSA = "No ECDSA key is read or written."


@dataclass(frozen=True)
class Must:
    """One demand: the page, its words, and the test's name, or why none is needed."""

    page: str
    quote: str
    test: str = ""
    why_not: str = ""


def of(page: str, *rows: tuple[str, str]) -> tuple[Must, ...]:
    """The demands of one page; a reason is a sentence, a test's name is not."""
    return tuple(Must(page, quote, *(("", said) if " " in said else (said, ""))) for quote, said in rows)


MUSTS = (
    *of(
        "tlog-tiles",
        ("The Signed Tree Head MUST be served as a checkpoint at <prefix>/checkpoint", "test_each_publication_is_whole_and_outgrown_parts_go"),
        ("the checkpoint MUST carry at least one Ed25519 signature by the log", "test_checkpoint_must_carry_an_ed25519_signature_by_the_log"),
        ("<L> MUST be a decimal ASCII integer between 0 and 63, with no additional leading zeroes",
         "test_level_must_be_between_0_and_63_without_leading_zeroes"),
        ("<N> MUST be a non-negative integer encoded into zero-padded 3-digit path elements",
         "test_must_tile_index_be_padded_three_digit_elements_all_but_the_last_with_an_x"),
        ("All but the last path element MUST begin with an x", "test_must_tile_index_be_padded_three_digit_elements_all_but_the_last_with_an_x"),
        ("Full tiles MUST be exactly 256 hashes wide", "test_full_tiles_must_be_256_hashes_of_full_tiles_below"),
        ("A partial tile MUST NOT be hashed into a tile at the level above", "test_partial_tiles_must_not_be_hashed_into_a_tile_above"),
        ("Empty tiles MUST NOT be served", "test_empty_tiles_must_not_be_served"),
        ("Logs MUST serve partial tiles corresponding to tree sizes for which a checkpoint was produced",
         "test_partial_tiles_are_served_for_each_size_of_which_a_checkpoint_was_produced"),
        ("Clients MUST NOT fetch arbitrary partial tiles without verifying a checkpoint with a size that requires their existence",
         "test_clients_must_not_fetch_partial_tiles_that_no_verified_checkpoint_requires"),
        ("the client MUST fetch the corresponding partial level 0 tile, and use that to verify the current checkpoint",
         "The verifier reads every bundle in full and does not skip partial ones."),
        ("the client MUST verify its consistency with the current checkpoint", "test_a_log_shorter_than_seen_or_of_another_history_is_not_whole"),
        ("If an entry bundle remains partial for too long, the client MUST fetch it", "The verifier fetches partial bundles at once."),
        ("logs that serve otherwise encoded entries MUST serve them at a different URL", "Entries are served in one encoding alone."),
        ("The minimum index MUST be less than or equal to the tree size", "test_a_cut_of_what_came_after_it_excuses_nothing"),
        ("Retention policies MUST only permit pruning an entry after it is no longer relevant",
         "What may go and when is a policy of the operator: docs/operate.md."),
        ("Without a policy for when pruning is permitted, logs MUST NOT be pruned", "test_a_cut_that_contradicts_itself_is_damage_and_excuses_nothing"),
        ("the minimum index value MUST be set to zero", "test_a_cut_that_is_only_said_moves_no_beginning"),
        ("This lower bound MUST be set to at least the log's current minimum index", "It binds mirrors, of which we have none."),
    ),
    *of(
        "tlog-checkpoint",
        ("The origin MUST be non-empty", "test_checkpoint_that_could_not_be_read_is_not_written"),
        ("clients MUST NOT assume that the origin is following this format", "test_clients_must_not_assume_a_form_of_the_origin"),
        ("Extension lines, if any, MUST be non-empty", "test_lines_must_be_non_empty_and_size_and_root_be_written_in_one_way"),
        ("A log MUST not sign any checkpoint which is inconsistent with any checkpoint it previously signed",
         "test_log_must_not_sign_what_is_inconsistent_with_a_checkpoint_it_signed"),
        ("clients MUST ignore unknown signatures", "test_clients_must_ignore_unknown_signatures"),
    ),
    *of(
        "signed-note",
        ("The text MUST be ignored unless the note is signed by a trusted key", "test_text_must_be_ignored_unless_a_trusted_key_signed"),
        ("Signed notes MUST be valid UTF-8 and MUST NOT contain any ASCII control characters", "test_notes_must_be_utf8_without_control_characters"),
        ("Key names MUST be non-empty and MUST NOT contain any Unicode spaces or plus", "test_key_names_must_be_non_empty_without_spaces_and_plus"),
        ("Verifiers MUST accept at least up to 16 signatures", "test_verifiers_must_accept_16_signatures"),
        ("Verifiers MUST ignore signatures from unknown keys, even if they share a name or ID",
         "test_verifiers_must_ignore_signatures_of_unknown_keys_that_share_a_name_or_an_id"),
        ("If the key name and ID match a known key, verifiers MUST verify the signature",
         "test_verifiers_must_check_and_reject_a_wrong_signature_of_a_known_key"),
        ("If no signature from a known key verifies successfully, clients MUST reject the note", "test_text_must_be_ignored_unless_a_trusted_key_signed"),
        ("The ECDSA curve MUST be one of NIST P-256, P-384, P-521", NO_ECDSA),
        ("The key name and ID MUST match those used in the signatures", "test_key_name_and_id_must_match_in_a_verifier_key"),
        ("a different key ID MUST be used for each signature type", "test_a_different_key_id_must_be_used_for_each_signature_type"),
    ),
    *of(
        "tlog-cosignature",
        ("The key ID for Ed25519 cosignatures MUST be computed as", "test_key_id_is_made_as_the_page_says"),
        ("The key ID for ML-DSA-44 cosignatures MUST be computed as", NO_ML_DSA),
        ("The signature MUST be a timestamped_signature structure", "test_message_is_the_header_the_time_and_the_whole_text"),
        ("The timestamp MUST NOT exceed 2^63 - 1", "test_times_that_the_page_forbids_are_refused"),
        ("The signed message MUST be two lines followed by the whole note body", "test_message_is_the_header_the_time_and_the_whole_text"),
        ("The header line MUST be the fixed string cosignature/v1", "test_message_is_the_header_the_time_and_the_whole_text"),
        ("The timestamp line MUST consist of the string time, a single space, and the seconds", "test_message_is_the_header_the_time_and_the_whole_text"),
        ("Extension lines, if present, MUST be included in the cosigned message", "test_extension_lines_must_be_included_in_the_cosigned_message"),
        ("consensus between cosigners on the extension lines SHALL NOT be assumed", "test_extension_lines_must_be_included_in_the_cosigned_message"),
        ("cosigners with distinct statements MUST use distinct public keys", "Our witness makes one statement, that of the page."),
        ("The signed message MUST be a cosigned_message structure", NO_ML_DSA),
        ("If start is not zero, these values MUST be zero", NO_ML_DSA),
        ("If signing a checkpoint, start MUST be zero", NO_ML_DSA),
        ("A given tuple MUST imply a single set of statements", NO_ML_DSA),
        ("These statements MUST include the base cosignature semantics", NO_ML_DSA),
    ),
    *of(
        "tlog-witness",
        ("The request MUST be an HTTP POST", "test_the_request_must_be_a_post"),
        ("The request body MUST be old size, proof lines, an empty line, a checkpoint", "test_requests_are_written_as_they_are_read"),
        ("Each line MUST terminate in a newline", "test_the_lines_of_a_request_must_be_written_in_one_way"),
        ("The old size line MUST consist of old, a space and the size with no leading zeroes", "test_the_lines_of_a_request_must_be_written_in_one_way"),
        ("Each consistency proof line MUST encode a single hash in base64", "test_the_lines_of_a_request_must_be_written_in_one_way"),
        ("The client MUST NOT send more than 63 consistency proof lines", "test_the_lines_of_a_request_must_be_written_in_one_way"),
        ("The witness MUST verify the checkpoint signature, and MUST ignore signatures from unknown keys", "test_must_ignore_signatures_of_unknown_keys"),
        ("If the checkpoint origin is unknown, the witness MUST respond with 404", "test_must_respond_404_to_an_unknown_origin_and_keep_nothing"),
        ("The witness MUST respond with 403 if no signature of a trusted key is present or one fails", "test_must_respond_403_without_a_good_signature"),
        ("The old size MUST be equal to or lower than the checkpoint size", "test_must_respond_400_to_an_old_size_above_the_new"),
        ("Otherwise, the witness MUST respond with 400", "test_must_respond_400_to_an_old_size_above_the_new"),
        ("The witness MUST check that the old size matches the latest it cosigned", "test_must_respond_409_with_its_own_size_where_the_old_is_another"),
        ("If it doesn't match, the witness MUST respond with 409", "test_must_respond_409_with_its_own_size_where_the_old_is_another"),
        ("The response body MUST consist of the tree size, followed by a newline", "test_must_respond_409_with_its_own_size_where_the_old_is_another"),
        ("The response MUST have a Content-Type of text/x.tlog.size", "test_must_respond_409_with_its_own_size_where_the_old_is_another"),
        ("A checkpoint of size zero MUST have the root hash of the empty tree; otherwise 422",
         "test_must_respond_422_to_another_root_of_the_same_size_and_to_another_empty_tree"),
        ("If the old size is zero, the consistency proof MUST be empty", "test_must_respond_422_to_a_proof_where_nothing_was_seen"),
        ("the lines MUST encode a Merkle Consistency Proof from the old size to the checkpoint size",
         "test_must_respond_422_to_a_wrong_proof_and_remember_nothing_of_it"),
        ("If a proof doesn't verify, the witness MUST respond with 422", "test_must_respond_422_to_a_wrong_proof_and_remember_nothing_of_it"),
        ("If the old size matches the checkpoint size, the witness MUST check that the root hashes are identical; otherwise 422",
         "test_must_respond_422_to_another_root_of_the_same_size_and_to_another_empty_tree"),
        ("it MUST NOT cosign what fails", "test_must_respond_422_to_a_wrong_proof_and_remember_nothing_of_it"),
        ("the witness MUST update its record and respond with 200", "test_a_log_that_grows_is_cosigned_each_time"),
        ("The response body MUST be a sequence of one or more note signature lines", "test_answers_must_be_cosignature_lines_with_a_time_by_the_witness"),
        ("The signatures MUST be cosignatures from the witness key(s) on the checkpoint", "test_answers_must_be_cosignature_lines_with_a_time_by_the_witness"),
        ("the cosignature MUST be for the entire tree", "test_answers_must_be_cosignature_lines_with_a_time_by_the_witness"),
        ("the timestamp MUST NOT be zero", "test_answers_must_be_cosignature_lines_with_a_time_by_the_witness"),
        ("The client MUST ignore any cosignatures from unknown keys", "test_an_answer_by_another_key_is_not_kept"),
        ("The witness MUST persist the new checkpoint before responding", "test_must_persist_before_it_responds"),
        ("sign-subtree: all that a request and an answer MUST be", NO_SUBTREES),
        ("get-checkpoint: the request MUST be an HTTP GET", "test_the_latest_is_served_with_the_signatures_of_log_and_witness"),
        ("The response body MUST be a checkpoint, with the cosignatures of the witness and the signature of the log",
         "test_the_latest_is_served_with_the_signatures_of_log_and_witness"),
        ("If the witness has never cosigned, it MUST respond with 404", "test_the_latest_is_served_with_the_signatures_of_log_and_witness"),
    ),
    *of(
        "tlog-proof",
        ("The first line MUST be the string c2sp.org/tlog-proof@v1", "test_lines_must_be_in_order_and_written_in_one_way"),
        ("Applications MUST NOT implicitly trust the extra data", "test_applications_must_not_trust_extra_data"),
        ("The next line MUST start with index, a space, and the zero-based index with no leading zeroes", "test_lines_must_be_in_order_and_written_in_one_way"),
    ),
)  # fmt: skip
