-- Merchants' product instances, endpoint applications, channels and organisation nodes (rules E1–E11).

ALTER TABLE event ADD COLUMN merchant_id TEXT;
CREATE INDEX event_merchant ON event (merchant_id, seq);

-- revision serialises everything that changes one merchant's endpoint applications: whoever raises it holds the row.
-- unify_users: whether user data is unified across the merchant's endpoint applications (E6).
ALTER TABLE merchant ADD COLUMN unify_users BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE merchant ADD COLUMN revision BIGINT NOT NULL DEFAULT 0;

-- fulfilment --------------------------------------------------------------------------------------------------

-- Every message that was ever sent, in the order (received_at, id). state: applied | parked | corrected; a parked one has
-- a reason and can be replayed, a corrected one was applied under another id. body is what was sent.
CREATE TABLE fulfilment (
    id          TEXT PRIMARY KEY,
    merchant_id TEXT,
    state       TEXT NOT NULL,
    reason      TEXT NOT NULL,
    detail      TEXT NOT NULL,
    body        TEXT NOT NULL,
    attempts    BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    settled_at  BIGINT
);
CREATE INDEX fulfilment_order ON fulfilment (received_at, id);
CREATE INDEX fulfilment_merchant ON fulfilment (merchant_id, received_at, id);
CREATE INDEX fulfilment_parked ON fulfilment (merchant_id, received_at, id) WHERE state = 'parked';

-- A register whose value is the newest message: newest by (said_at, kind, message id), all of them the sender's.
-- left_at is the said_at of the newest unsubscribe message: what was chosen as of then or before does not hold any
-- more (E4). named is by which message the name was said, as a message may leave it out.
CREATE TABLE product_instance (
    id          TEXT PRIMARY KEY,
    merchant_id TEXT NOT NULL REFERENCES merchant (id),
    product     TEXT NOT NULL,
    name        TEXT NOT NULL,
    state       TEXT NOT NULL,
    said_at     BIGINT NOT NULL,
    said_kind   TEXT NOT NULL,
    said_by     TEXT NOT NULL,
    named       JSONB,
    expires_at  BIGINT,
    left_at     BIGINT,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL
);
CREATE INDEX product_instance_merchant ON product_instance (merchant_id, id);
CREATE INDEX product_instance_expiry ON product_instance (state, expires_at);

-- endpoint applications ---------------------------------------------------------------------------------------

CREATE TABLE endpoint_app (
    id          TEXT PRIMARY KEY,
    merchant_id TEXT NOT NULL REFERENCES merchant (id),
    name        TEXT NOT NULL,
    is_default  BOOLEAN NOT NULL,
    created_by  TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL
);
CREATE UNIQUE INDEX endpoint_app_one_default ON endpoint_app (merchant_id) WHERE is_default;
CREATE INDEX endpoint_app_merchant ON endpoint_app (merchant_id, id);

-- What a custom endpoint application holds; the default one holds all active instances and has no rows (E2, E3).
-- as_of is the instance's said_at when it was chosen.
CREATE TABLE endpoint_product (
    endpoint_app_id TEXT NOT NULL REFERENCES endpoint_app (id),
    instance_id     TEXT NOT NULL REFERENCES product_instance (id),
    as_of           BIGINT NOT NULL,
    chosen_by       TEXT NOT NULL,
    chosen_at       BIGINT NOT NULL,
    PRIMARY KEY (endpoint_app_id, instance_id)
);
CREATE INDEX endpoint_product_instance ON endpoint_product (instance_id);

-- app_id is the channel's own: a WeChat appid, a MiniApp's id, the address of an H5 page. One row for each in the world,
-- with one endpoint application at the most (E5).
CREATE TABLE channel (
    id              TEXT PRIMARY KEY,
    merchant_id     TEXT NOT NULL REFERENCES merchant (id),
    kind            TEXT NOT NULL,
    app_id          TEXT NOT NULL,
    name            TEXT NOT NULL,
    state           TEXT NOT NULL,
    endpoint_app_id TEXT REFERENCES endpoint_app (id),
    authorised_by   TEXT NOT NULL,
    authorised_at   BIGINT NOT NULL,
    bound_by        TEXT,
    bound_at        BIGINT,
    UNIQUE (kind, app_id)
);
CREATE INDEX channel_merchant ON channel (merchant_id, id);
CREATE INDEX channel_app_id ON channel (app_id);
CREATE INDEX channel_endpoint_app ON channel (endpoint_app_id);

-- organisation ------------------------------------------------------------------------------------------------

-- limited: only the endpoint applications that are assigned to the node may be used at it (E9).
CREATE TABLE org_node (
    id          TEXT PRIMARY KEY,
    merchant_id TEXT NOT NULL REFERENCES merchant (id),
    parent_id   TEXT REFERENCES org_node (id),
    name        TEXT NOT NULL,
    limited     BOOLEAN NOT NULL,
    created_at  BIGINT NOT NULL
);
CREATE INDEX org_node_merchant ON org_node (merchant_id, id);
CREATE INDEX org_node_parent ON org_node (parent_id);

-- A product instance is open on a node; as_of as in endpoint_product.
CREATE TABLE org_product (
    org_node_id TEXT NOT NULL REFERENCES org_node (id),
    instance_id TEXT NOT NULL REFERENCES product_instance (id),
    as_of       BIGINT NOT NULL,
    opened_by   TEXT NOT NULL,
    opened_at   BIGINT NOT NULL,
    PRIMARY KEY (org_node_id, instance_id)
);
CREATE INDEX org_product_instance ON org_product (instance_id);

CREATE TABLE assignment (
    endpoint_app_id TEXT NOT NULL REFERENCES endpoint_app (id),
    org_node_id     TEXT NOT NULL REFERENCES org_node (id),
    assigned_by     TEXT NOT NULL,
    assigned_at     BIGINT NOT NULL,
    PRIMARY KEY (endpoint_app_id, org_node_id)
);
CREATE INDEX assignment_org_node ON assignment (org_node_id);
