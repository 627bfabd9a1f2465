-- The gray tasks of all MiniApps are listed by state, newest first.
CREATE INDEX gray_task_state_id ON gray_task (state, id);
DROP INDEX gray_task_state;
