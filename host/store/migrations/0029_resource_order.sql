-- Searches of an address book page by id. The indexes that find a member or a group have the id, too, so that no database
-- goes through all ids of the workspace because those come in the right order.
DROP INDEX workspace_member_external;
CREATE INDEX workspace_member_external ON workspace_member (workspace_id, external_id, id);
DROP INDEX workspace_group_name;
CREATE INDEX workspace_group_name ON workspace_group (workspace_id, name_key, id);
DROP INDEX workspace_group_external;
CREATE INDEX workspace_group_external ON workspace_group (workspace_id, external_id, id);
