-- One text for SQLite and PostgreSQL. Ids are TEXT, time is BIGINT milliseconds since the epoch, JSON is JSONB
-- (text in SQLite). Every "at most one" is an index. An applied migration is never edited.

-- access ------------------------------------------------------------------------------------------------------

CREATE TABLE account (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE team (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE merchant (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

-- scope_id is '' for the platform.
CREATE TABLE role_grant (
    account_id TEXT NOT NULL REFERENCES account (id),
    scope_kind TEXT NOT NULL,
    scope_id   TEXT NOT NULL,
    role       TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, scope_kind, scope_id)
);
CREATE INDEX role_grant_scope ON role_grant (scope_kind, scope_id);

-- The secret has 160 random bits, so its SHA-256 is enough; it is never stored.
CREATE TABLE token (
    id            TEXT PRIMARY KEY,
    account_id    TEXT NOT NULL REFERENCES account (id),
    name          TEXT NOT NULL,
    secret_sha256 TEXT NOT NULL UNIQUE,
    scopes        JSONB NOT NULL,
    created_at    BIGINT NOT NULL,
    expires_at    BIGINT,
    revoked_at    BIGINT
);
CREATE INDEX token_account ON token (account_id);

-- mini apps and host apps -------------------------------------------------------------------------------------

-- revision serialises everything that changes the state of one MiniApp: whoever raises it holds the row.
CREATE TABLE mini_app (
    id          TEXT PRIMARY KEY,
    team_id     TEXT NOT NULL REFERENCES team (id),
    name        TEXT NOT NULL,
    description TEXT NOT NULL,
    on_shelf    BOOLEAN NOT NULL,
    shelf_note  TEXT NOT NULL,
    min_version TEXT,
    revision    BIGINT NOT NULL,
    created_at  BIGINT NOT NULL
);
CREATE INDEX mini_app_team ON mini_app (team_id, id);

CREATE TABLE host_app (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    public_key TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL
);

CREATE TABLE binding (
    host_app_id TEXT NOT NULL REFERENCES host_app (id),
    mini_app_id TEXT NOT NULL REFERENCES mini_app (id),
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (host_app_id, mini_app_id)
);
CREATE INDEX binding_mini_app ON binding (mini_app_id);

-- versions ----------------------------------------------------------------------------------------------------

-- A deleted version keeps its row, so that its number never comes back with other bytes.
CREATE TABLE version (
    id             TEXT PRIMARY KEY,
    mini_app_id    TEXT NOT NULL REFERENCES mini_app (id),
    number         TEXT NOT NULL,
    major          BIGINT NOT NULL,
    minor          BIGINT NOT NULL,
    patch          BIGINT NOT NULL,
    state          TEXT NOT NULL,
    submitted_once BOOLEAN NOT NULL,
    forced         BOOLEAN NOT NULL,
    sha256         TEXT NOT NULL,
    size           BIGINT NOT NULL,
    files          BIGINT NOT NULL,
    manifest       JSONB NOT NULL,
    uploaded_by    TEXT NOT NULL,
    created_at     BIGINT NOT NULL,
    updated_at     BIGINT NOT NULL,
    online_at      BIGINT,
    UNIQUE (mini_app_id, number)
);
CREATE UNIQUE INDEX version_one_online ON version (mini_app_id) WHERE state = 'online';
CREATE INDEX version_order ON version (mini_app_id, major, minor, patch);
CREATE INDEX version_sha256 ON version (sha256);

CREATE TABLE trial (
    mini_app_id TEXT PRIMARY KEY REFERENCES mini_app (id),
    version_id  TEXT NOT NULL REFERENCES version (id),
    entry_path  TEXT NOT NULL,
    accounts    JSONB NOT NULL,
    set_by      TEXT NOT NULL,
    set_at      BIGINT NOT NULL
);

-- kind: publish | rollback. The newest row of a MiniApp says what is online and how it came to be.
CREATE TABLE release_record (
    id             TEXT PRIMARY KEY,
    mini_app_id    TEXT NOT NULL REFERENCES mini_app (id),
    position       BIGINT NOT NULL,
    version_id     TEXT NOT NULL REFERENCES version (id),
    kind           TEXT NOT NULL,
    forced         BOOLEAN NOT NULL,
    note           TEXT NOT NULL,
    released_by    TEXT NOT NULL,
    released_at    BIGINT NOT NULL,
    UNIQUE (mini_app_id, position)
);

-- audits ------------------------------------------------------------------------------------------------------

CREATE TABLE audit (
    id          TEXT PRIMARY KEY,
    mini_app_id TEXT NOT NULL REFERENCES mini_app (id),
    version_id  TEXT NOT NULL REFERENCES version (id),
    state       TEXT NOT NULL,
    sha256      TEXT NOT NULL,
    reason      TEXT NOT NULL,
    submitted_by TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    closed_at   BIGINT,
    lease_owner TEXT,
    lease_until BIGINT,
    attempts    BIGINT NOT NULL
);
CREATE INDEX audit_version ON audit (version_id, created_at);
CREATE INDEX audit_open ON audit (state, created_at);
CREATE UNIQUE INDEX audit_one_open ON audit (version_id) WHERE closed_at IS NULL;

CREATE TABLE audit_item (
    audit_id    TEXT NOT NULL REFERENCES audit (id),
    host_app_id TEXT NOT NULL REFERENCES host_app (id),
    decision    TEXT,
    note        TEXT NOT NULL,
    decided_by  TEXT,
    decided_at  BIGINT,
    PRIMARY KEY (audit_id, host_app_id)
);
CREATE INDEX audit_item_host_app ON audit_item (host_app_id);

-- What one policy said of one version: with the digest and the config that said it.
CREATE TABLE evaluation (
    audit_id       TEXT NOT NULL REFERENCES audit (id),
    position       BIGINT NOT NULL,
    policy         TEXT NOT NULL,
    policy_version TEXT NOT NULL,
    digest         TEXT NOT NULL,
    config         JSONB NOT NULL,
    mode           TEXT NOT NULL,
    on_error       TEXT NOT NULL,
    outcome        TEXT NOT NULL,
    detail         TEXT NOT NULL,
    findings       JSONB NOT NULL,
    log            JSONB NOT NULL,
    micros         BIGINT NOT NULL,
    evaluated_at   BIGINT NOT NULL,
    PRIMARY KEY (audit_id, position)
);

-- policies ----------------------------------------------------------------------------------------------------

CREATE TABLE policy (
    digest        TEXT PRIMARY KEY,
    kind          TEXT NOT NULL,
    name          TEXT NOT NULL,
    version       TEXT NOT NULL,
    summary       TEXT NOT NULL,
    config_schema JSONB,
    size          BIGINT NOT NULL,
    installed_by  TEXT NOT NULL,
    installed_at  BIGINT NOT NULL
);
CREATE INDEX policy_name ON policy (name, installed_at);

-- scope_kind: platform | host_app | mini_app | gray_task.
CREATE TABLE policy_binding (
    id         TEXT PRIMARY KEY,
    digest     TEXT NOT NULL REFERENCES policy (digest),
    scope_kind TEXT NOT NULL,
    scope_id   TEXT NOT NULL,
    position   BIGINT NOT NULL,
    config     JSONB NOT NULL,
    mode       TEXT NOT NULL,
    on_error   TEXT NOT NULL,
    limits     JSONB NOT NULL,
    bound_by   TEXT NOT NULL,
    bound_at   BIGINT NOT NULL
);
CREATE INDEX policy_binding_scope ON policy_binding (scope_kind, scope_id, position);
CREATE INDEX policy_binding_digest ON policy_binding (digest);

-- grayscale ---------------------------------------------------------------------------------------------------

-- admitted counts the rows of admission; both change in one transaction that holds this row.
-- honoured: devices already admitted keep the version although the task has ended (by its cap).
CREATE TABLE gray_task (
    id          TEXT PRIMARY KEY,
    mini_app_id TEXT NOT NULL REFERENCES mini_app (id),
    version_id  TEXT NOT NULL REFERENCES version (id),
    name        TEXT NOT NULL,
    state       TEXT NOT NULL,
    ended_by    TEXT,
    honoured    BOOLEAN NOT NULL,
    start_at    BIGINT NOT NULL,
    end_at      BIGINT NOT NULL,
    max_users   BIGINT,
    admitted    BIGINT NOT NULL,
    conditions  JSONB NOT NULL,
    created_by  TEXT NOT NULL,
    created_at  BIGINT NOT NULL
);
CREATE INDEX gray_task_mini_app ON gray_task (mini_app_id, created_at);
CREATE INDEX gray_task_state ON gray_task (state);

CREATE TABLE gray_move (
    task_id    TEXT NOT NULL REFERENCES gray_task (id),
    position   BIGINT NOT NULL,
    from_state TEXT NOT NULL,
    to_state   TEXT NOT NULL,
    cause      TEXT NOT NULL,
    note       TEXT NOT NULL,
    moved_by   TEXT NOT NULL,
    moved_at   BIGINT NOT NULL,
    PRIMARY KEY (task_id, position)
);

-- ordinal is 1, 2, 3 … within a task without gaps: another host reads on from the last it knows.
CREATE TABLE admission (
    task_id       TEXT NOT NULL REFERENCES gray_task (id),
    guid          TEXT NOT NULL,
    ordinal       BIGINT NOT NULL,
    admitted_at   BIGINT NOT NULL,
    downloaded_at BIGINT,
    running_at    BIGINT,
    failed_at     BIGINT,
    PRIMARY KEY (task_id, guid),
    UNIQUE (task_id, ordinal)
);

-- The members live in the blob store under the digest, one a line, sorted.
CREATE TABLE cohort (
    id          TEXT PRIMARY KEY,
    mini_app_id TEXT NOT NULL REFERENCES mini_app (id),
    name        TEXT NOT NULL,
    members     BIGINT NOT NULL,
    lines       BIGINT NOT NULL,
    blanks      BIGINT NOT NULL,
    duplicates  BIGINT NOT NULL,
    sha256      TEXT NOT NULL,
    created_by  TEXT NOT NULL,
    created_at  BIGINT NOT NULL
);
CREATE INDEX cohort_mini_app ON cohort (mini_app_id, created_at);

-- events ------------------------------------------------------------------------------------------------------

-- The sequence has no gaps and is in commit order, because its head is a row that the writer holds until commit.
CREATE TABLE event_head (
    id   BIGINT PRIMARY KEY,
    last BIGINT NOT NULL
);
INSERT INTO event_head (id, last) VALUES (1, 0);

CREATE TABLE event (
    seq         BIGINT PRIMARY KEY,
    id          TEXT NOT NULL UNIQUE,
    type        TEXT NOT NULL,
    subject     TEXT NOT NULL,
    mini_app_id TEXT,
    host_app_id TEXT,
    actor       TEXT NOT NULL,
    at          BIGINT NOT NULL,
    data        JSONB NOT NULL
);
CREATE INDEX event_mini_app ON event (mini_app_id, seq);

-- requests ----------------------------------------------------------------------------------------------------

-- The answer to a creating POST, kept for a day, so that a repeated one creates nothing twice.
CREATE TABLE idempotency (
    scope       TEXT NOT NULL,
    key         TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    response    JSONB,
    expires_at  BIGINT NOT NULL,
    PRIMARY KEY (scope, key)
);
CREATE INDEX idempotency_expiry ON idempotency (expires_at);
