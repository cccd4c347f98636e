"""Every login able to act as a privilege: members, superusers, and those that may give it to themselves."""

import hashlib
import json
import time
from collections.abc import Collection

from portal.connectors.base import Listing, LoginOnTarget, Target
from portal.connectors.postgresql.connection import connected

# Membership is followed through every role in between, whether it is used by itself or by SET ROLE. A superuser is
# able without any, and on 15 so is whoever has CREATEROLE. A grant's login is listed as long as it is a member.
QUERY = """
WITH RECURSIVE able(login, role, admin) AS (
  SELECT member, roleid, admin_option FROM pg_auth_members
  UNION SELECT able.login, am.roleid, able.admin OR am.admin_option
  FROM able JOIN pg_auth_members am ON am.member = able.role),
ways(login, role, way) AS (
  SELECT login, role, CASE WHEN bool_or(admin) THEN 'member, may give it on' ELSE 'member' END FROM able GROUP BY 1, 2
  UNION ALL SELECT oid, oid, 'itself' FROM pg_roles
  UNION ALL SELECT s.oid, p.oid, 'superuser' FROM pg_roles s, pg_roles p WHERE s.rolsuper AND s.oid <> p.oid
  UNION ALL SELECT s.oid, p.oid, 'may give it to itself' FROM pg_roles s, pg_roles p
  WHERE s.rolcreaterole AND NOT s.rolsuper AND NOT p.rolsuper AND s.oid <> p.oid
    AND current_setting('server_version_num')::int < 160000)
SELECT r.rolname::text AS login, r.oid::text AS ref, p.rolname::text AS privilege, r.rolcanlogin AS can_login,
       string_agg(w.way, '; ' ORDER BY w.way) AS via, coalesce(shobj_description(r.oid, 'pg_authid'), '') AS comment,
       CASE WHEN isfinite(r.rolvaliduntil) THEN (extract(epoch FROM r.rolvaliduntil) * 1000)::int8 END AS expires_at_ms
FROM ways w JOIN pg_roles r ON r.oid = w.login JOIN pg_roles p ON p.oid = w.role
WHERE p.rolname = ANY (%s) AND (r.rolcanlogin OR (r.rolname ~ '^bg_[0-9]+$' AND w.way LIKE 'member%%'))
GROUP BY r.oid, r.rolname, p.rolname, r.rolcanlogin, r.rolvaliduntil ORDER BY p.rolname, r.rolname
"""


def list_access(target: Target, privileges: Collection[str]) -> Listing:
    """One row for each login and privilege; the hash is over the rows as sorted JSON."""
    with connected(target) as connection:
        rows = connection.execute(QUERY, [sorted(privileges)]).fetchall()
    text = json.dumps(rows, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return Listing(
        at_ms=time.time_ns() // 1_000_000,
        query=QUERY.strip(),
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        logins=tuple(LoginOnTarget(**row) for row in rows),
    )
