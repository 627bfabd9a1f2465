-- What an edit of a gray task changed, as a list; other moves changed nothing but the state.
ALTER TABLE gray_move ADD COLUMN changes JSONB NOT NULL DEFAULT '[]';
