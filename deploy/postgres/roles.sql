-- The database roles of one service. Run by an administrator; repeatable, sets the passwords each time.
--   psql -v service=stock -v owner_password=… -v password=… -f roles.sql
-- The owner role creates and alters the tables (`migrate`); the service connects as the role with its own name, which
-- owns nothing. `migrate` grants that role (DATABASE_ROLE) its privileges on each table.
\set ON_ERROR_STOP on
\set owner :service _owner

SELECT format('CREATE ROLE %I', name) FROM (VALUES (:'service'), (:'owner')) AS required(name)
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec

ALTER ROLE :"owner" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'owner_password';
ALTER ROLE :"service" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'password';

-- Services set these when they connect. Through PgBouncer in transaction mode they can't, and verify that the role has them.
ALTER ROLE :"service" SET search_path = :"service";
ALTER ROLE :"service" SET timezone = 'UTC';
ALTER ROLE :"service" SET jit = off;
ALTER ROLE :"service" SET lock_timeout = '4s';
ALTER ROLE :"service" SET client_connection_check_interval = '2s';

-- No other role may connect, and none may create objects in `public`.
REVOKE ALL ON DATABASE :"DBNAME" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"DBNAME" TO :"owner", :"service";
REVOKE ALL ON SCHEMA public FROM PUBLIC;

-- Only members of a role can create a schema for it; the administrator may not be a superuser.
GRANT :"owner" TO CURRENT_USER;
CREATE SCHEMA IF NOT EXISTS :"service" AUTHORIZATION :"owner";
REVOKE :"owner" FROM CURRENT_USER;
