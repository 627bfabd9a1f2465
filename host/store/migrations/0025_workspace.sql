-- Workspaces: an organisation with its address book, its applications, and the MiniApps that it has linked.
CREATE TABLE workspace (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    revision   BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

ALTER TABLE event ADD COLUMN workspace_id TEXT;
CREATE INDEX event_workspace ON event (workspace_id, seq);

-- Members, which are Users in SCIM. attributes: all that the directory has said, as SCIM has it; what is asked for by itself
-- stands in columns besides. user_key: the user name in lower case.
CREATE TABLE workspace_member (
    id           TEXT PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    user_key     TEXT NOT NULL,
    user_name    TEXT NOT NULL,
    external_id  TEXT,
    name         TEXT NOT NULL,
    active       BOOLEAN NOT NULL,
    attributes   JSONB NOT NULL,
    version      BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    UNIQUE (workspace_id, user_key)
);
CREATE INDEX workspace_member_id ON workspace_member (workspace_id, id);
CREATE INDEX workspace_member_external ON workspace_member (workspace_id, external_id);

-- Departments and tags, which are Groups in SCIM. parent_id: the department that a department is in. name_key: the name in
-- lower case.
CREATE TABLE workspace_group (
    id           TEXT PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    kind         TEXT NOT NULL,
    parent_id    TEXT REFERENCES workspace_group (id) ON DELETE SET NULL,
    name_key     TEXT NOT NULL,
    name         TEXT NOT NULL,
    external_id  TEXT,
    attributes   JSONB NOT NULL,
    version      BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL
);
CREATE INDEX workspace_group_id ON workspace_group (workspace_id, id);
CREATE INDEX workspace_group_name ON workspace_group (workspace_id, name_key);
CREATE INDEX workspace_group_external ON workspace_group (workspace_id, external_id);
CREATE INDEX workspace_group_parent ON workspace_group (parent_id);

-- The members that a department or a tag lists itself.
CREATE TABLE workspace_group_member (
    group_id  TEXT NOT NULL REFERENCES workspace_group (id) ON DELETE CASCADE,
    member_id TEXT NOT NULL REFERENCES workspace_member (id) ON DELETE CASCADE,
    PRIMARY KEY (group_id, member_id)
);
CREATE INDEX workspace_group_member_member ON workspace_group_member (member_id, group_id);

-- The departments that have a tag, and with them all who are in them.
CREATE TABLE workspace_tag_department (
    tag_id        TEXT NOT NULL REFERENCES workspace_group (id) ON DELETE CASCADE,
    department_id TEXT NOT NULL REFERENCES workspace_group (id) ON DELETE CASCADE,
    PRIMARY KEY (tag_id, department_id)
);
CREATE INDEX workspace_tag_department_department ON workspace_tag_department (department_id, tag_id);

-- People outside of the organisation.
CREATE TABLE workspace_contact (
    id           TEXT PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    name         TEXT NOT NULL,
    external_id  TEXT,
    created_at   BIGINT NOT NULL,
    UNIQUE (workspace_id, external_id)
);
CREATE INDEX workspace_contact_id ON workspace_contact (workspace_id, id);

-- Applications, and linked MiniApps: these have the id of the MiniApp, and form, name, description and url are empty.
CREATE TABLE workspace_item (
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    id           TEXT NOT NULL,
    kind         TEXT NOT NULL,
    form         TEXT,
    name         TEXT NOT NULL,
    description  TEXT NOT NULL,
    url          TEXT NOT NULL,
    added_at     BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, id)
);

-- To whom an item is given. subject_id: of a department, tag, member or contact; empty for everyone.
CREATE TABLE workspace_access (
    workspace_id TEXT NOT NULL,
    item_id      TEXT NOT NULL,
    subject_kind TEXT NOT NULL,
    subject_id   TEXT NOT NULL,
    PRIMARY KEY (workspace_id, item_id, subject_kind, subject_id),
    FOREIGN KEY (workspace_id, item_id) REFERENCES workspace_item (workspace_id, id) ON DELETE CASCADE
);
CREATE INDEX workspace_access_subject ON workspace_access (workspace_id, subject_id);
