-- Where a policy came from, if a registry, and the trusted keys that have signed it, as they were when that was verified.
ALTER TABLE policy ADD COLUMN origin JSONB;
ALTER TABLE policy ADD COLUMN signed_by JSONB NOT NULL DEFAULT '[]';

-- Keys whose signatures of policies are trusted. level, scope_id: the platform (''), a host app or a team.
CREATE TABLE trusted_key (
    id          TEXT PRIMARY KEY,
    level       TEXT NOT NULL,
    scope_id    TEXT NOT NULL,
    name        TEXT NOT NULL,
    algorithm   TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    pem         TEXT NOT NULL,
    added_by    TEXT NOT NULL,
    added_at    BIGINT NOT NULL,
    UNIQUE (level, scope_id, name),
    UNIQUE (level, scope_id, fingerprint)
);

-- Where policies have to be signed to be bound.
CREATE TABLE signing_rule (
    level    TEXT NOT NULL,
    scope_id TEXT NOT NULL,
    set_by   TEXT NOT NULL,
    set_at   BIGINT NOT NULL,
    PRIMARY KEY (level, scope_id)
);
