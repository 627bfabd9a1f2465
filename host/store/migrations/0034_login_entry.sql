-- Providers at which users of a MiniApp log in. provider: what names it, and for OAuth 2.0 its addresses.
-- secret_sealed: of the client; NULL when it has none.
CREATE TABLE login_entry (
    id            TEXT PRIMARY KEY,
    mini_app_id   TEXT NOT NULL REFERENCES mini_app (id),
    name          TEXT NOT NULL,
    provider      JSONB NOT NULL,
    client_id     TEXT NOT NULL,
    client_auth   TEXT NOT NULL,
    scope         TEXT NOT NULL,
    return_url    TEXT NOT NULL,
    secret_sealed TEXT,
    changed_by    TEXT NOT NULL,
    changed_at    BIGINT NOT NULL,
    UNIQUE (mini_app_id, name)
);

-- Users who are logging in. key_sha256: of the secret that takes the next step, once: the ticket, then the state of the browser
-- that is away, then the code that finishes it. browser_sha256: of the cookie. subject_sealed: who it is, when that is known.
CREATE TABLE authorised_login (
    id             TEXT PRIMARY KEY,
    key_sha256     TEXT NOT NULL UNIQUE,
    step           TEXT NOT NULL,
    browser_sha256 TEXT,
    entry_id       TEXT NOT NULL REFERENCES login_entry (id) ON DELETE CASCADE,
    open_id_sha256 TEXT NOT NULL REFERENCES mini_app_user (open_id_sha256),
    state          TEXT,
    subject_sealed TEXT,
    expires_at     BIGINT NOT NULL
);
CREATE INDEX authorised_login_entry ON authorised_login (entry_id);
CREATE INDEX authorised_login_open_id ON authorised_login (open_id_sha256);
CREATE INDEX authorised_login_expiry ON authorised_login (expires_at);

-- Who users are at login entries. subject_mac: what finds a subject without telling it. One that has ended stays, without the
-- subject; it outlives its entry, so entry is a name.
CREATE TABLE login_binding (
    id             TEXT PRIMARY KEY,
    mini_app_id    TEXT NOT NULL REFERENCES mini_app (id),
    entry          TEXT NOT NULL,
    open_id_sha256 TEXT NOT NULL REFERENCES mini_app_user (open_id_sha256),
    subject_mac    TEXT,
    subject_sealed TEXT,
    bound_at       BIGINT NOT NULL,
    ended_at       BIGINT
);
-- A user is one subject at an entry, and a subject is one user.
CREATE UNIQUE INDEX login_binding_user ON login_binding (open_id_sha256, entry) WHERE ended_at IS NULL;
CREATE UNIQUE INDEX login_binding_subject ON login_binding (mini_app_id, entry, subject_mac) WHERE ended_at IS NULL;
CREATE INDEX login_binding_open_id ON login_binding (open_id_sha256);

-- As whom users of MiniApps were seen at official accounts, so that one person in two MiniApps is found. person: a MAC of
-- WeChat's OpenID. A user is one person at an account, and a person is one user of a MiniApp.
CREATE TABLE recognised_user (
    open_id_sha256 TEXT NOT NULL REFERENCES mini_app_user (open_id_sha256),
    app_id         TEXT NOT NULL REFERENCES official_account (app_id) ON DELETE CASCADE,
    mini_app_id    TEXT NOT NULL REFERENCES mini_app (id),
    person         TEXT NOT NULL,
    recognised_at  BIGINT NOT NULL,
    PRIMARY KEY (open_id_sha256, app_id),
    UNIQUE (mini_app_id, app_id, person)
);
CREATE INDEX recognised_user_person ON recognised_user (app_id, person);

-- A link may go through an official account: open_id_sha256 is NULL then, and follows from who is recognised there.
CREATE TABLE identity_link_through (
    partner_open_id_sha256 TEXT NOT NULL REFERENCES mini_app_user (open_id_sha256),
    mini_app_id            TEXT NOT NULL REFERENCES mini_app (id),
    position               BIGINT NOT NULL,
    partner_id             TEXT NOT NULL REFERENCES mini_app (id),
    open_id_sha256         TEXT REFERENCES mini_app_user (open_id_sha256),
    through_app_id         TEXT,
    linked_at              BIGINT NOT NULL,
    unlinked_at            BIGINT,
    PRIMARY KEY (partner_open_id_sha256, mini_app_id, position)
);
INSERT INTO identity_link_through
    SELECT partner_open_id_sha256, mini_app_id, position, partner_id, open_id_sha256, NULL, linked_at, unlinked_at
    FROM identity_link;
DROP TABLE identity_link;
ALTER TABLE identity_link_through RENAME TO identity_link;
CREATE UNIQUE INDEX identity_link_open ON identity_link (partner_open_id_sha256, mini_app_id) WHERE unlinked_at IS NULL;
CREATE UNIQUE INDEX identity_link_open_other ON identity_link (open_id_sha256, partner_id) WHERE unlinked_at IS NULL;
CREATE INDEX identity_link_open_id ON identity_link (open_id_sha256);
