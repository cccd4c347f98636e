"""Codes with which a target says why something failed, in words: the common ones of PostgreSQL's appendix A (SQLSTATE), and its classes."""

CODES = {
    "08003": "connection does not exist", "08006": "connection failure", "0A000": "feature not supported",
    "22001": "string data right truncation", "22003": "numeric value out of range", "22007": "invalid datetime format",
    "22008": "datetime field overflow", "22012": "division by zero", "22023": "invalid parameter value",
    "22P02": "invalid text representation", "23502": "not null violation", "23503": "foreign key violation", "23505": "unique violation",
    "23514": "check violation", "25001": "active SQL transaction", "25006": "read-only SQL transaction",
    "25P02": "in failed SQL transaction", "25P03": "idle in transaction session timeout", "28000": "invalid authorization specification",
    "28P01": "invalid password", "2BP01": "dependent objects still exist", "3D000": "invalid catalog name", "3F000": "invalid schema name",
    "40001": "serialization failure", "40P01": "deadlock detected", "42501": "insufficient privilege", "42601": "syntax error",
    "42701": "duplicate column", "42702": "ambiguous column", "42703": "undefined column", "42704": "undefined object",
    "42710": "duplicate object", "42723": "duplicate function", "42803": "grouping error", "42804": "datatype mismatch",
    "42809": "wrong object type", "42883": "undefined function", "42939": "reserved name", "42P01": "undefined table",
    "42P02": "undefined parameter", "42P04": "duplicate database", "42P06": "duplicate schema", "42P07": "duplicate table",
    "53100": "disk full", "53200": "out of memory", "53300": "too many connections", "53400": "configuration limit exceeded",
    "54001": "statement too complex", "55000": "object not in prerequisite state", "55006": "object in use", "55P03": "lock not available",
    "57014": "query canceled", "57P01": "admin shutdown", "57P02": "crash shutdown", "57P03": "cannot connect now",
    "57P05": "idle session timeout", "58030": "I/O error", "P0001": "raise exception", "XX000": "internal error",
}  # fmt: skip
CLASSES = {
    "08": "connection exception", "0A": "feature not supported", "21": "cardinality violation", "22": "data exception",
    "23": "integrity constraint violation", "24": "invalid cursor state", "25": "invalid transaction state",
    "28": "invalid authorization specification", "2B": "dependent privilege descriptors still exist", "3D": "invalid catalog name",
    "3F": "invalid schema name", "40": "transaction rollback", "42": "syntax error or access rule violation",
    "53": "insufficient resources", "54": "program limit exceeded", "55": "object not in prerequisite state",
    "57": "operator intervention", "58": "system error", "P0": "PL/pgSQL error", "XX": "internal error",
}  # fmt: skip
LENGTH = 5


def in_words(code: str) -> str:
    """``42P01`` -> ``undefined table (42P01)``; a code that nobody here knows stays as it is."""
    name = CODES.get(code) or (CLASSES.get(code[:2]) if len(code) == LENGTH else None)
    return f"{name} ({code})" if name else code
