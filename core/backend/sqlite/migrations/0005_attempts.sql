-- What a failed attempt was known by, and when it began, so that its span can be told after the fact. NULL: from before.
ALTER TABLE failures ADD COLUMN token INTEGER;
ALTER TABLE failures ADD COLUMN started_at INTEGER;
