-- Creates a role and a database for each service that stores data, closed to the other roles.
-- Running it again creates what is missing and renews the passwords.
\set ON_ERROR_STOP on
\getenv portal_password PORTAL_DATABASE_PASSWORD
\getenv billing_password BILLING_DATABASE_PASSWORD
\getenv analytics_password ANALYTICS_DATABASE_PASSWORD

SELECT format('CREATE ROLE %I LOGIN', name)
FROM unnest(ARRAY['portal', 'billing', 'analytics']) AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec

ALTER ROLE portal PASSWORD :'portal_password';
ALTER ROLE billing PASSWORD :'billing_password';
ALTER ROLE analytics PASSWORD :'analytics_password';

SELECT format('CREATE DATABASE %I OWNER %I', name, name)
FROM unnest(ARRAY['portal', 'billing', 'analytics']) AS name
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = name) \gexec

REVOKE ALL ON DATABASE portal, billing, analytics FROM PUBLIC;
