-- The domains with which a MiniApp may communicate, by kind, as one set.
CREATE TABLE domain_set (
    mini_app_id TEXT PRIMARY KEY REFERENCES mini_app (id),
    domains     JSONB NOT NULL,
    changed_by  TEXT NOT NULL,
    changed_at  BIGINT NOT NULL
);

-- The APIs that a host app has marked as sensitive, with names for people, as one list.
CREATE TABLE sensitive_api_set (
    host_app_id TEXT PRIMARY KEY REFERENCES host_app (id),
    apis        JSONB NOT NULL,
    changed_by  TEXT NOT NULL,
    changed_at  BIGINT NOT NULL
);

-- What a MiniApp may do, or applies for, in one host app. api is NULL unless kind is sensitive_api.
CREATE TABLE permit (
    id          TEXT PRIMARY KEY,
    mini_app_id TEXT NOT NULL REFERENCES mini_app (id),
    host_app_id TEXT NOT NULL REFERENCES host_app (id),
    kind        TEXT NOT NULL,
    api         TEXT,
    state       TEXT NOT NULL,
    reason      TEXT NOT NULL,
    until       BIGINT,
    applied_by  TEXT NOT NULL,
    applied_at  BIGINT NOT NULL,
    note        TEXT NOT NULL,
    changed_by  TEXT NOT NULL,
    changed_at  BIGINT NOT NULL
);
-- For one purpose there is one at most with which something can still happen.
CREATE UNIQUE INDEX permit_live ON permit (mini_app_id, host_app_id, kind, COALESCE(api, ''))
    WHERE state IN ('waiting', 'approved');
CREATE INDEX permit_mini_app ON permit (mini_app_id, id);
CREATE INDEX permit_host_app ON permit (host_app_id, id);
CREATE INDEX permit_due ON permit (until) WHERE state = 'approved' AND until IS NOT NULL;

CREATE TABLE permit_move (
    permit_id TEXT NOT NULL REFERENCES permit (id),
    position  BIGINT NOT NULL,
    step      TEXT NOT NULL,
    state     TEXT NOT NULL,
    until     BIGINT,
    actor     TEXT NOT NULL,
    note      TEXT NOT NULL,
    at        BIGINT NOT NULL,
    PRIMARY KEY (permit_id, position)
);
