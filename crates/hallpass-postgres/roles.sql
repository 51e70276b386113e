-- The rights that a service needs at run time, if its role is not the one that created the schema. Run this
-- as the owner of the schema, after the migrations and again after each upgrade that brings new ones:
--
--     psql --set ON_ERROR_STOP=1 --set role=app --file roles.sql
--
-- Such a service opens its store with `PostgresSettings::default().migrate(false)`. If the store's tables
-- are in another schema, replace `hallpass.` and `SCHEMA hallpass` by its name.

GRANT USAGE ON SCHEMA hallpass TO :"role";
GRANT SELECT ON hallpass.migrations TO :"role";
GRANT SELECT, INSERT, UPDATE, DELETE ON hallpass.tokens TO :"role";
GRANT SELECT, UPDATE ON hallpass.clock TO :"role";
GRANT SELECT, INSERT, DELETE ON hallpass.changes TO :"role";
GRANT EXECUTE ON FUNCTION hallpass.lock_owner, hallpass.has_token, hallpass.lock_and_count,
    hallpass.revoke_owner, hallpass.delete_owner TO :"role";
