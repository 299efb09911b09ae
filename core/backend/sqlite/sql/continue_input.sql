-- The input of another run.
UPDATE inputs SET input = :input WHERE n = :n;
