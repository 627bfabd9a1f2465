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
