-- What is looked at before and after a grant. One query for each section, giving key and value as text.
-- "server" sections are asked once, "database" sections in each database.
-- :ours and :system stand for conditions in catalogue.py. Nothing here waits for a lock on a table: a responder's
-- prepared transaction may hold one for ever. So the definitions of views and rules are taken as they are stored, and
-- settings from the function: everybody may lock the view pg_settings.

-- server: role
SELECT r.rolname AS key, concat_ws(' ', r.oid, CASE WHEN rolsuper THEN 'superuser' END,
       CASE WHEN rolcanlogin THEN 'login' END, CASE WHEN rolcreaterole THEN 'createrole' END,
       CASE WHEN rolcreatedb THEN 'createdb' END, CASE WHEN rolreplication THEN 'replication' END,
       CASE WHEN rolbypassrls THEN 'bypassrls' END, CASE WHEN NOT rolinherit THEN 'noinherit' END,
       'limit ' || rolconnlimit, 'until ' || rolvaliduntil) AS value
FROM pg_roles r WHERE NOT :ours;

-- server: password
SELECT r.rolname AS key, coalesce(md5(r.rolpassword), '') AS value FROM pg_authid r WHERE NOT :ours;

-- server: membership
SELECT p.rolname || ' <- ' || r.rolname AS key,
       string_agg(coalesce(g.rolname::text, am.grantor::text) || CASE WHEN am.admin_option THEN ' with admin' ELSE '' END,
                  ', ' ORDER BY am.grantor, am.admin_option) AS value
FROM pg_auth_members am
JOIN pg_roles p ON p.oid = am.roleid
JOIN pg_roles r ON r.oid = am.member
LEFT JOIN pg_roles g ON g.oid = am.grantor
WHERE NOT :ours AND NOT EXISTS (SELECT FROM pg_roles r WHERE r.oid = am.roleid AND :ours)
GROUP BY 1;

-- server: able login
WITH RECURSIVE able(login, role) AS (
  SELECT member, roleid FROM pg_auth_members
  UNION SELECT able.login, am.roleid FROM able JOIN pg_auth_members am ON am.member = able.role)
SELECT p.rolname || ' <- ' || r.rolname AS key, r.oid::text AS value
FROM able JOIN pg_roles p ON p.oid = able.role JOIN pg_roles r ON r.oid = able.login AND r.rolcanlogin
WHERE NOT :ours AND r.rolname <> current_user
UNION ALL
SELECT r.rolname || ' <- ' || r.rolname, r.oid::text FROM pg_roles r WHERE r.rolcanlogin AND NOT :ours AND r.rolname <> current_user
UNION ALL
SELECT '(superuser) <- ' || r.rolname, r.oid::text FROM pg_roles r WHERE r.rolsuper AND r.rolcanlogin
UNION ALL -- before 16 whoever makes roles can give itself any
SELECT '(any role) <- ' || r.rolname, r.oid::text FROM pg_roles r WHERE r.rolcreaterole AND NOT r.rolsuper AND r.rolcanlogin
  AND r.rolname <> current_user AND current_setting('server_version_num')::int < 160000;

-- server: role setting
SELECT coalesce(r.rolname, '(all)') || ' in ' || coalesce(d.datname, '(all)') AS key,
       array_to_string(s.setconfig, '; ') AS value
FROM pg_db_role_setting s
LEFT JOIN pg_roles r ON r.oid = s.setrole
LEFT JOIN pg_database d ON d.oid = s.setdatabase
WHERE r.oid IS NULL OR NOT :ours;

-- server: parameter right
SELECT parname AS key, paracl::text AS value FROM pg_parameter_acl;

-- server: database
SELECT datname AS key, concat_ws(' ', datdba::regrole, datacl) AS value FROM pg_database;

-- server: tablespace
SELECT spcname AS key, concat_ws(' ', spcowner::regrole, spcacl) AS value FROM pg_tablespace;

-- server: server setting
SELECT name AS key, setting AS value FROM pg_show_all_settings()
WHERE source IN ('configuration file', 'command line', 'global', 'environment variable');

-- server: settings file
SELECT sourcefile || ': ' || name AS key, string_agg(setting, ', ' ORDER BY seqno) AS value
FROM pg_file_settings GROUP BY 1;

-- server: pg_hba rule
SELECT line_number::text AS key,
       concat_ws(' ', type, database, user_name, address, netmask, auth_method, options) AS value
FROM pg_hba_file_rules;

-- server: prepared transaction
SELECT gid AS key, owner::text AS value FROM pg_prepared_xacts;

-- server: replication slot
SELECT slot_name AS key, concat_ws(' ', slot_type, database) AS value FROM pg_replication_slots;

-- database: schema
SELECT nspname AS key, concat_ws(' ', nspowner::regrole, nspacl) AS value
FROM pg_namespace n WHERE nspname !~ '^pg_(toast|temp_)';

-- database: relation
SELECT format('%I.%I', n.nspname, c.relname) AS key,
       concat_ws(' ', c.relkind, c.relowner::regrole, c.relacl,
                 CASE WHEN c.relrowsecurity THEN 'row security' END,
                 CASE WHEN c.relforcerowsecurity THEN 'forced' END) AS value
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND NOT :system;

-- database: column right
SELECT format('%I.%I.%I', n.nspname, c.relname, a.attname) AS key, a.attacl::text AS value
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE a.attacl IS NOT NULL AND NOT a.attisdropped AND NOT :system;

-- database: function
SELECT p.oid::regprocedure::text AS key,
       concat_ws(' ', p.proowner::regrole, CASE WHEN p.prosecdef THEN 'security definer' END, p.proacl, p.proconfig,
                 md5(concat_ws(' ', p.prosrc, p.probin, p.prosqlbody))) AS value
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE NOT :system;

-- database: system catalogue
SELECT 'relations of the system' AS key,
       md5(string_agg(concat_ws(' ', c.oid, c.relowner, c.relacl), ' ' ORDER BY c.oid)) AS value
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname IN ('pg_catalog', 'information_schema')
UNION ALL
SELECT 'functions of the system',
       md5(string_agg(concat_ws(' ', p.oid, p.proowner, p.prosecdef, p.proacl, p.prosrc), ' ' ORDER BY p.oid))
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname IN ('pg_catalog', 'information_schema');

-- database: default right
SELECT concat_ws(' ', d.defaclrole::regrole, n.nspname, d.defaclobjtype) AS key, d.defaclacl::text AS value
FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace;

-- database: trigger
SELECT t.tgrelid::regclass || ' ' || t.tgname AS key, concat_ws(' ', t.tgenabled, pg_get_triggerdef(t.oid)) AS value
FROM pg_trigger t WHERE NOT t.tgisinternal;

-- database: rule
SELECT w.ev_class::regclass || ' ' || w.rulename AS key,
       concat_ws(' ', w.ev_type, w.is_instead, w.ev_enabled, md5(concat_ws(' ', w.ev_qual, w.ev_action))) AS value
FROM pg_rewrite w JOIN pg_class c ON c.oid = w.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT :system;

-- database: event trigger
SELECT evtname AS key, concat_ws(' ', evtevent, evtowner::regrole, evtfoid::regproc, evtenabled) AS value
FROM pg_event_trigger;

-- database: extension
SELECT extname AS key, extversion || ' ' || extowner::regrole AS value FROM pg_extension;

-- database: language
SELECT lanname AS key, concat_ws(' ', lanowner::regrole, lanpltrusted, lanacl) AS value FROM pg_language;

-- database: foreign server
SELECT srvname AS key, concat_ws(' ', srvowner::regrole, srvacl, md5(srvoptions::text)) AS value FROM pg_foreign_server;

-- database: user mapping
SELECT srvname || ' for ' || usename AS key, coalesce(md5(umoptions::text), '') AS value FROM pg_user_mappings;

-- database: publication
SELECT pubname AS key, concat_ws(' ', pubowner::regrole, puballtables, pubinsert, pubupdate, pubdelete) AS value
FROM pg_publication;

-- database: subscription
SELECT subname AS key, concat_ws(' ', subowner::regrole, subenabled) AS value FROM pg_subscription;

-- database: large object
SELECT oid::text AS key, concat_ws(' ', lomowner::regrole, lomacl) AS value FROM pg_largeobject_metadata;

-- database: policy
SELECT p.polrelid::regclass || ' ' || p.polname AS key,
       concat_ws(' ', p.polpermissive, p.polroles, p.polcmd, md5(concat_ws(' | ', p.polqual, p.polwithcheck))) AS value
FROM pg_policy p;
