-- The database roles of one service, as the server's administrator; may be repeated, and then sets the passwords anew.
--   psql -v service=stock -v owner_password=… -v password=… -f roles.sql
-- The owner makes and changes the tables (`migrate`); the role with the service's name serves, and owns nothing.
-- What it may do with each table `migrate` grants (DATABASE_ROLE), because that is where tables are made.
\set ON_ERROR_STOP on
\set owner :service _owner

SELECT format('CREATE ROLE %I', name) FROM (VALUES (:'service'), (:'owner')) AS wanted(name)
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec

ALTER ROLE :"owner" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'owner_password';
ALTER ROLE :"service" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'password';

-- What services also ask for when they connect; behind PgBouncer, which passes no such wishes on, it holds from here.
ALTER ROLE :"service" SET search_path = :"service";
ALTER ROLE :"service" SET timezone = 'UTC';
ALTER ROLE :"service" SET jit = off;

-- Nobody else gets in, and nobody leaves things where others look.
REVOKE ALL ON DATABASE :"DBNAME" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"DBNAME" TO :"owner", :"service";
REVOKE ALL ON SCHEMA public FROM PUBLIC;

-- A schema can be given to a role by its members alone, and an administrator need not be a superuser.
GRANT :"owner" TO CURRENT_USER;
CREATE SCHEMA IF NOT EXISTS :"service" AUTHORIZATION :"owner";
REVOKE :"owner" FROM CURRENT_USER;
