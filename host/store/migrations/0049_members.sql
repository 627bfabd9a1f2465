-- signed_on_at: when the member has shown who they are, which internal tools are told as auth_time; NULL when the identity provider has
-- not said so.
ALTER TABLE member_sign_on ADD COLUMN shown_at BIGINT;
UPDATE member_sign_on SET shown_at = signed_on_at;
ALTER TABLE member_sign_on DROP COLUMN signed_on_at;
ALTER TABLE member_sign_on RENAME COLUMN shown_at TO signed_on_at;
ALTER TABLE tool_code ADD COLUMN shown_at BIGINT;
UPDATE tool_code SET shown_at = signed_on_at;
ALTER TABLE tool_code DROP COLUMN signed_on_at;
ALTER TABLE tool_code RENAME COLUMN shown_at TO signed_on_at;
ALTER TABLE tool_token ADD COLUMN shown_at BIGINT;
UPDATE tool_token SET shown_at = signed_on_at;
ALTER TABLE tool_token DROP COLUMN signed_on_at;
ALTER TABLE tool_token RENAME COLUMN shown_at TO signed_on_at;

-- Who a member is at the identity provider of the workspace, as it said when they first signed in there. A row belongs to the issuer and
-- the client that the workspace has now; it is deleted when another one is set.
CREATE TABLE member_subject (
    member_id    TEXT PRIMARY KEY REFERENCES workspace_member (id) ON DELETE CASCADE,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    issuer       TEXT NOT NULL,
    client_id    TEXT NOT NULL,
    subject      TEXT NOT NULL
);
CREATE INDEX member_subject_workspace ON member_subject (workspace_id);
