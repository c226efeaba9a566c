-- The roles of the platform and who may do what. PostgreSQL 15 or later; may be run again at any time.
--
-- Run it once per database, inside it, as a superuser or as a role with CREATEROLE that owns the database:
--     createdb loyalty && psql -d loyalty -f loyalty_platform/launcher/roles.sql
-- then give both login roles a password (psql: \password loyalty_owner, \password loyalty_app).
--
--   loyalty_owner     owns the tables; migrations log in as it (DATABASE_OWNER_URL)
--   loyalty_app       web, workers and manage.py log in as it (DATABASE_URL)
--   loyalty_lookup    owns the functions that find a merchant before the merchant is known; nobody logs in
--   loyalty_platform  sees every merchant; taken for one transaction by `SET LOCAL ROLE`; nobody logs in
--
-- Nobody inherits the last two, and nobody is superuser or may bypass row-level security.

DO $$
DECLARE
    superuser boolean := (SELECT rolsuper FROM pg_roles WHERE rolname = current_user);
    modern boolean := current_setting('server_version_num')::int >= 160000;
    silent text := CASE WHEN current_setting('server_version_num')::int >= 160000 THEN ' WITH INHERIT FALSE, SET TRUE' ELSE '' END;
    name text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('loyalty roles'));
    FOREACH name IN ARRAY ARRAY['loyalty_owner', 'loyalty_app', 'loyalty_lookup', 'loyalty_platform'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
            EXECUTE format('CREATE ROLE %I', name);
        END IF;
        EXECUTE format('ALTER ROLE %I NOCREATEDB NOCREATEROLE', name);
        IF superuser THEN
            EXECUTE format('ALTER ROLE %I NOSUPERUSER NOBYPASSRLS NOREPLICATION', name);
        END IF;
    END LOOP;
    ALTER ROLE loyalty_owner LOGIN NOINHERIT;
    ALTER ROLE loyalty_app LOGIN NOINHERIT;
    ALTER ROLE loyalty_lookup NOLOGIN;
    ALTER ROLE loyalty_platform NOLOGIN;
    EXECUTE 'GRANT loyalty_lookup TO loyalty_owner' || silent;
    EXECUTE 'GRANT loyalty_platform TO loyalty_app' || silent;

    -- A role with CREATEROLE acts for the owner below; it gives that membership back at the end.
    IF NOT superuser THEN
        EXECUTE format('GRANT loyalty_owner TO %I', current_user);
    END IF;

    -- The schema first: before PostgreSQL 16 only who owns the database may give it away.
    ALTER SCHEMA public OWNER TO loyalty_owner;
    EXECUTE format('ALTER DATABASE %I OWNER TO loyalty_owner', current_database());
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO loyalty_app', current_database());

    REVOKE ALL ON SCHEMA public FROM PUBLIC;
    GRANT USAGE ON SCHEMA public TO loyalty_app, loyalty_platform, loyalty_lookup;
    CREATE SCHEMA IF NOT EXISTS lookup AUTHORIZATION loyalty_owner;
    REVOKE ALL ON SCHEMA lookup FROM PUBLIC;
    GRANT USAGE ON SCHEMA lookup TO loyalty_app, loyalty_platform, loyalty_owner;
    GRANT USAGE, CREATE ON SCHEMA lookup TO loyalty_lookup;

    -- What the owner will make. The ledger takes UPDATE and DELETE back by itself.
    ALTER DEFAULT PRIVILEGES FOR ROLE loyalty_owner IN SCHEMA public
        GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO loyalty_app, loyalty_platform;
    ALTER DEFAULT PRIVILEGES FOR ROLE loyalty_owner IN SCHEMA public
        GRANT USAGE, SELECT ON SEQUENCES TO loyalty_app, loyalty_platform;

    IF NOT superuser THEN
        EXECUTE format('REVOKE loyalty_owner FROM %I', current_user);
    END IF;
END
$$;
