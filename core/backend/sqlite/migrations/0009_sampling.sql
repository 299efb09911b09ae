-- The age of each queue's oldest dead letter, without reading the letters.
DROP INDEX dead_letters_queue;
CREATE INDEX dead_letters_queue ON dead_letters (queue, moved_at);
