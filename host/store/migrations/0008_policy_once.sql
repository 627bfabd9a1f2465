-- A place takes a policy once, and a version of a policy has one content. `once` is what may not repeat: the name of a
-- policy bound to the platform, a host app or a MiniApp; the version of a policy that people installed. It is NULL where
-- repeating is allowed (grayscale tasks; the built-in policies, which every build of Berth may replace), and in rows
-- of older installations that repeat already: they stay as they are until somebody takes them away.
ALTER TABLE policy_binding ADD COLUMN once TEXT;
UPDATE policy_binding SET once = (SELECT p.name FROM policy p WHERE p.digest = policy_binding.digest)
WHERE scope_kind <> 'gray_task' AND NOT EXISTS (
    SELECT 1 FROM policy_binding b JOIN policy other ON other.digest = b.digest
                                   JOIN policy own ON own.digest = policy_binding.digest
    WHERE b.scope_kind = policy_binding.scope_kind AND b.scope_id = policy_binding.scope_id
      AND other.name = own.name AND b.id < policy_binding.id
);
CREATE UNIQUE INDEX policy_binding_once ON policy_binding (scope_kind, scope_id, once);

ALTER TABLE policy ADD COLUMN once TEXT;
UPDATE policy SET once = version
WHERE installed_by <> 'berth' AND NOT EXISTS (
    SELECT 1 FROM policy p WHERE p.name = policy.name AND p.version = policy.version AND p.digest < policy.digest
);
CREATE UNIQUE INDEX policy_once ON policy (name, once);
