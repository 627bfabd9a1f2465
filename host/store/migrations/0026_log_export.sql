-- How far the export of real-time logs is: everything up to the entry with this id was sent. One host holds the lease and
-- sends. The logs themselves are not in this database.
CREATE TABLE log_export (
    name        TEXT PRIMARY KEY,
    entry_id    BIGINT NOT NULL,
    lease_owner TEXT,
    lease_until BIGINT NOT NULL
);
