-- That the server of one MiniApp may learn who its users are in another one: both teams agree.
CREATE TABLE partner (
    mini_app_id TEXT NOT NULL REFERENCES mini_app (id),
    partner_id  TEXT NOT NULL REFERENCES mini_app (id),
    state       TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (mini_app_id, partner_id)
);
CREATE INDEX partner_other ON partner (partner_id, mini_app_id);

-- What users have consented to, in order. A link holds from linked_at to unlinked_at, and only while it is younger than the
-- agreement of the two teams: when that ends, all its links end with it. Users are here by the hashes of their OpenIDs.
CREATE TABLE identity_link (
    partner_open_id_sha256 TEXT NOT NULL REFERENCES mini_app_user (open_id_sha256),
    mini_app_id            TEXT NOT NULL REFERENCES mini_app (id),
    position               BIGINT NOT NULL,
    partner_id             TEXT NOT NULL REFERENCES mini_app (id),
    open_id_sha256         TEXT NOT NULL REFERENCES mini_app_user (open_id_sha256),
    linked_at              BIGINT NOT NULL,
    unlinked_at            BIGINT,
    PRIMARY KEY (partner_open_id_sha256, mini_app_id, position)
);
-- A user has one link at a time in each direction, and is nobody else's.
CREATE UNIQUE INDEX identity_link_open ON identity_link (partner_open_id_sha256, mini_app_id) WHERE unlinked_at IS NULL;
CREATE UNIQUE INDEX identity_link_open_other ON identity_link (open_id_sha256, partner_id) WHERE unlinked_at IS NULL;
CREATE INDEX identity_link_open_id ON identity_link (open_id_sha256);
