-- The identity provider at which the members of a workspace sign in. claim: what of it names the member, whom the address book finds by
-- member_key. secret_sealed: of the client; NULL when it has none.
CREATE TABLE workspace_provider (
    workspace_id  TEXT PRIMARY KEY REFERENCES workspace (id),
    name          TEXT NOT NULL,
    issuer        TEXT NOT NULL,
    client_id     TEXT NOT NULL,
    client_auth   TEXT NOT NULL,
    claim         TEXT NOT NULL,
    member_key    TEXT NOT NULL,
    secret_sealed TEXT,
    changed_by    TEXT NOT NULL,
    changed_at    BIGINT NOT NULL
);

-- Browsers of members that are away at the provider. state_sha256 and browser_sha256: of what a browser brings back in the address and
-- in its cookie; a row is deleted when it does. provider_changed_at: of the provider to which it was sent. request: with what an internal
-- tool had sent it, where it goes on. max_age: how many seconds before the visit the member may have logged in there at most.
CREATE TABLE member_visit (
    state_sha256        TEXT PRIMARY KEY,
    browser_sha256      TEXT NOT NULL,
    workspace_id        TEXT NOT NULL REFERENCES workspace_provider (workspace_id) ON DELETE CASCADE,
    provider_changed_at BIGINT NOT NULL,
    request             TEXT,
    max_age             BIGINT,
    begun_at            BIGINT NOT NULL,
    expires_at          BIGINT NOT NULL
);
CREATE INDEX member_visit_workspace ON member_visit (workspace_id);
CREATE INDEX member_visit_expiry ON member_visit (expires_at);
