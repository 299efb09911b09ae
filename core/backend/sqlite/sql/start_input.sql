-- Keeps what never changes about the execution that was begun last.
INSERT INTO inputs (n, policy, metadata, carrier, input)
VALUES (last_insert_rowid(), :policy, :metadata, :carrier, :input);
