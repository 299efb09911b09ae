-- Keeps what never changes about an execution.
INSERT INTO inputs (n, policy, metadata, carrier, input)
VALUES (:n, :policy, :metadata, :carrier, :input);
