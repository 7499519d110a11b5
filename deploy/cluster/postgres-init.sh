#!/bin/sh
# PostgreSQL's image runs this once, when its folder is empty: a user who is no superuser, and who owns one database.
# The password is read inside psql, so that no list of processes shows it.
set -eu
[ -s /run/secrets/postgres_password ] || {
    echo "archive.sh: /run/secrets/postgres_password is missing or empty" >&2
    exit 78
}
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres <<'SQL'
\set password `cat /run/secrets/postgres_password`
CREATE ROLE backfile LOGIN PASSWORD :'password';
CREATE DATABASE archive OWNER backfile TEMPLATE template0 ENCODING 'UTF8';
REVOKE ALL ON DATABASE archive FROM PUBLIC;
SQL
