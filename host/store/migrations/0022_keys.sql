-- The AppSecret of a MiniApp. It has 160 random bits, so its SHA-256 is enough; it is never stored. Reset and freeze raise
-- the generation, which ends the server tokens of the one before.
CREATE TABLE app_secret (
    mini_app_id   TEXT PRIMARY KEY REFERENCES mini_app (id),
    secret_sha256 TEXT NOT NULL,
    generation    BIGINT NOT NULL,
    issued_at     BIGINT NOT NULL,
    issued_by     TEXT NOT NULL,
    frozen_at     BIGINT,
    frozen_by     TEXT,
    note          TEXT NOT NULL
);

CREATE TABLE server_token (
    token_sha256 TEXT PRIMARY KEY,
    mini_app_id  TEXT NOT NULL REFERENCES mini_app (id),
    generation   BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL
);
CREATE INDEX server_token_mini_app ON server_token (mini_app_id, created_at);
CREATE INDEX server_token_expiry ON server_token (expires_at);

-- Keys that the host has made for itself, for ever, sealed like all secrets.
CREATE TABLE host_key (
    name       TEXT PRIMARY KEY,
    key_sealed TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

-- A login code is deleted by its exchange, so that one of many wins.
CREATE TABLE login_code (
    code_sha256 TEXT PRIMARY KEY,
    mini_app_id TEXT NOT NULL REFERENCES mini_app (id),
    host_app_id TEXT NOT NULL REFERENCES host_app (id),
    account     TEXT NOT NULL,
    expires_at  BIGINT NOT NULL
);
CREATE INDEX login_code_expiry ON login_code (expires_at);

-- The users who have ever logged in to a MiniApp. An OpenID has 135 bits; only its SHA-256 is here. The session key is NULL
-- when the session was ended.
CREATE TABLE mini_app_user (
    open_id_sha256     TEXT PRIMARY KEY,
    mini_app_id        TEXT NOT NULL REFERENCES mini_app (id),
    host_app_id        TEXT NOT NULL REFERENCES host_app (id),
    account            TEXT NOT NULL,
    session_key_sealed TEXT,
    session_at         BIGINT NOT NULL,
    created_at         BIGINT NOT NULL,
    UNIQUE (mini_app_id, host_app_id, account)
);
