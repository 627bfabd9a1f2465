-- The privacy agreement of a MiniApp that its team works on.
CREATE TABLE privacy_draft (
    mini_app_id TEXT PRIMARY KEY REFERENCES mini_app (id),
    agreement   JSONB NOT NULL,
    changed_by  TEXT NOT NULL,
    changed_at  BIGINT NOT NULL
);

-- What was published of it, for ever. texts: what users read, as it was then, in both languages and formats.
-- needs_consent_since: the last version for which users had to consent anew.
CREATE TABLE privacy_version (
    mini_app_id         TEXT NOT NULL REFERENCES mini_app (id),
    version             BIGINT NOT NULL,
    agreement           JSONB NOT NULL,
    changes             JSONB NOT NULL,
    texts               JSONB NOT NULL,
    digest              TEXT NOT NULL,
    effective_on        TEXT NOT NULL,
    renews              BOOLEAN NOT NULL,
    needs_consent_since BIGINT NOT NULL,
    note                TEXT NOT NULL,
    published_by        TEXT NOT NULL,
    published_at        BIGINT NOT NULL,
    PRIMARY KEY (mini_app_id, version)
);

-- What a user has said to an agreement, step by step from position 1 on.
CREATE TABLE privacy_consent (
    open_id_sha256 TEXT NOT NULL REFERENCES mini_app_user (open_id_sha256),
    position       BIGINT NOT NULL,
    step           TEXT NOT NULL,
    version        BIGINT NOT NULL,
    at             BIGINT NOT NULL,
    PRIMARY KEY (open_id_sha256, position)
);

-- Where a user of a host app is found who is to be exported or erased.
CREATE INDEX mini_app_user_account ON mini_app_user (host_app_id, account);
CREATE INDEX login_code_account ON login_code (host_app_id, account);
CREATE INDEX message_user ON message (open_id_sha256);
CREATE INDEX event_message_account ON event ((data ->> 'account'), host_app_id) WHERE type = 'message.sent';
