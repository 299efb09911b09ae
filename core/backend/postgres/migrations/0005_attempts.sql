-- What a failed attempt was known by, and when it began, so that its span can be told after the fact. NULL: from before.
ALTER TABLE stent.failures ADD COLUMN token integer, ADD COLUMN started_at timestamptz;
