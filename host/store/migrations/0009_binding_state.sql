-- Both sides agree to a binding; before that it has no effect. state: active | waits_for_team | waits_for_host_app.
ALTER TABLE binding ADD COLUMN state TEXT NOT NULL DEFAULT 'active';
