-- The turns of teams in the queue of audits: the team whose last turn is the longest ago has the next one.
CREATE TABLE audit_turn (
    team_id TEXT PRIMARY KEY REFERENCES team (id),
    turn    BIGINT NOT NULL
);
CREATE INDEX audit_lease ON audit (lease_owner) WHERE lease_owner IS NOT NULL;

-- The level that made a policy binding, to which it belongs: platform | host_app | team.
ALTER TABLE policy_binding ADD COLUMN level TEXT NOT NULL DEFAULT 'team';
UPDATE policy_binding SET level = 'host_app' WHERE scope_kind = 'host_app';
UPDATE policy_binding SET level = 'platform' WHERE scope_kind = 'platform' OR scope_kind IN ('host_app', 'mini_app')
    AND bound_by IN (SELECT account_id FROM role_grant WHERE scope_kind = 'platform' AND role = 'admin');
