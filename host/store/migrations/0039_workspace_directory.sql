-- From where the address book of a workspace is pulled, and how that goes. secret_sealed: by which it is read; callback_*: by which the
-- directory tells that something has changed, NULL while it does not. access_*: the token of the moment, which all hosts share.
-- due_at: when the next sync begins. forced: it may take away as much as the directory says. attempts: failures since the last
-- success. outcome, problem, detail: how the last one ended, and why; counts: what the last one that was done has found and changed.
CREATE TABLE workspace_directory (
    workspace_id          TEXT PRIMARY KEY REFERENCES workspace (id),
    kind                  TEXT NOT NULL,
    corp_id               TEXT NOT NULL,
    reads                 TEXT NOT NULL,
    base_url              TEXT NOT NULL,
    every_hours           BIGINT NOT NULL,
    secret_sealed         TEXT NOT NULL,
    callback_token_sealed TEXT,
    callback_key_sealed   TEXT,
    changed_by            TEXT NOT NULL,
    changed_at            BIGINT NOT NULL,
    access_sealed         TEXT,
    access_expires_at     BIGINT NOT NULL,
    due_at                BIGINT NOT NULL,
    forced                BOOLEAN NOT NULL,
    attempts              BIGINT NOT NULL,
    outcome               TEXT,
    problem               TEXT,
    detail                TEXT,
    counts                JSONB,
    tried_at              BIGINT,
    synced_at             BIGINT,
    lease_owner           TEXT,
    lease_until           BIGINT NOT NULL
);
CREATE INDEX workspace_directory_due ON workspace_directory (due_at);

-- Who has said a row last: NULL for SCIM, else kind and organisation of the directory from which it was pulled.
ALTER TABLE workspace_member ADD COLUMN source TEXT;
ALTER TABLE workspace_group ADD COLUMN source TEXT;
