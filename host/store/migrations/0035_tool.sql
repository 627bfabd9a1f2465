-- Where the members of a workspace sign on, and whom they ask when they may not open something.
CREATE TABLE workspace_sign_in (
    workspace_id TEXT PRIMARY KEY REFERENCES workspace (id),
    url          TEXT NOT NULL,
    help         TEXT NOT NULL
);

-- What an internal tool has registered as an OpenID client: its id is the client id. generation: raised by each new secret,
-- which ends the tokens that were given for the one before.
CREATE TABLE tool_client (
    application_id            TEXT PRIMARY KEY,
    workspace_id              TEXT NOT NULL,
    redirect_uris             JSONB NOT NULL,
    post_logout_redirect_uris JSONB NOT NULL,
    secret_sha256             TEXT,
    generation                BIGINT NOT NULL,
    issued_at                 BIGINT,
    issued_by                 TEXT,
    FOREIGN KEY (workspace_id, application_id) REFERENCES workspace_item (workspace_id, id) ON DELETE CASCADE
);

-- The word of the portal's server that this is the member, for one tool.
CREATE TABLE member_login_code (
    code_sha256    TEXT PRIMARY KEY,
    application_id TEXT NOT NULL REFERENCES tool_client (application_id) ON DELETE CASCADE,
    member_id      TEXT NOT NULL REFERENCES workspace_member (id) ON DELETE CASCADE,
    expires_at     BIGINT NOT NULL
);
CREATE INDEX member_login_code_tool ON member_login_code (application_id);
CREATE INDEX member_login_code_member ON member_login_code (member_id);
CREATE INDEX member_login_code_expiry ON member_login_code (expires_at);

-- What the browser of a member has with this host. The browser keeps a secret; only its SHA-256 is here.
CREATE TABLE member_sign_on (
    id            TEXT PRIMARY KEY,
    secret_sha256 TEXT NOT NULL UNIQUE,
    workspace_id  TEXT NOT NULL REFERENCES workspace (id),
    member_id     TEXT NOT NULL REFERENCES workspace_member (id) ON DELETE CASCADE,
    signed_on_at  BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL
);
CREATE INDEX member_sign_on_member ON member_sign_on (member_id);
CREATE INDEX member_sign_on_expiry ON member_sign_on (expires_at);

-- A code that was exchanged stays as long as the access token that it gave, so that a second use of it is noticed.
CREATE TABLE tool_code (
    code_sha256    TEXT PRIMARY KEY,
    application_id TEXT NOT NULL REFERENCES tool_client (application_id) ON DELETE CASCADE,
    member_id      TEXT NOT NULL REFERENCES workspace_member (id) ON DELETE CASCADE,
    sign_on_id     TEXT NOT NULL,
    signed_on_at   BIGINT NOT NULL,
    scope          TEXT NOT NULL,
    redirect_uri   TEXT NOT NULL,
    code_challenge TEXT NOT NULL,
    nonce          TEXT,
    expires_at     BIGINT NOT NULL,
    used_at        BIGINT
);
CREATE INDEX tool_code_tool ON tool_code (application_id);
CREATE INDEX tool_code_member ON tool_code (member_id);
CREATE INDEX tool_code_sign_on ON tool_code (sign_on_id);
CREATE INDEX tool_code_expiry ON tool_code (expires_at);

-- Access tokens and refresh tokens. All that came from one code end together. A refresh token that was used stays until it
-- expires, so that a second use of it is noticed.
CREATE TABLE tool_token (
    token_sha256   TEXT PRIMARY KEY,
    kind           TEXT NOT NULL,
    code_sha256    TEXT NOT NULL,
    application_id TEXT NOT NULL REFERENCES tool_client (application_id) ON DELETE CASCADE,
    member_id      TEXT NOT NULL REFERENCES workspace_member (id) ON DELETE CASCADE,
    sign_on_id     TEXT NOT NULL,
    signed_on_at   BIGINT NOT NULL,
    scope          TEXT NOT NULL,
    generation     BIGINT NOT NULL,
    expires_at     BIGINT NOT NULL,
    used_at        BIGINT
);
CREATE INDEX tool_token_tool ON tool_token (application_id);
CREATE INDEX tool_token_code ON tool_token (code_sha256);
CREATE INDEX tool_token_member ON tool_token (member_id);
CREATE INDEX tool_token_sign_on ON tool_token (sign_on_id);
CREATE INDEX tool_token_expiry ON tool_token (expires_at);
