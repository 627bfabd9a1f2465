-- Who people are at the identity provider at which they sign in. An account is one person there, and a person there is one account.
CREATE TABLE provider_link (
    account_id TEXT PRIMARY KEY REFERENCES account (id),
    issuer     TEXT NOT NULL,
    subject    TEXT NOT NULL,
    linked_at  BIGINT NOT NULL,
    UNIQUE (issuer, subject)
);

-- Browsers that are away at the provider. state_sha256 and browser_sha256: of what a browser brings back in the address and in its
-- cookie; a row is deleted when it does. account_id: of the person who is signed in and links the account. invitation_id: of
-- the invitation that is accepted.
CREATE TABLE provider_visit (
    state_sha256   TEXT PRIMARY KEY,
    browser_sha256 TEXT NOT NULL,
    account_id     TEXT REFERENCES account (id),
    invitation_id  TEXT REFERENCES invitation (id) ON DELETE CASCADE,
    expires_at     BIGINT NOT NULL
);
CREATE INDEX provider_visit_invitation ON provider_visit (invitation_id);
CREATE INDEX provider_visit_expiry ON provider_visit (expires_at);
