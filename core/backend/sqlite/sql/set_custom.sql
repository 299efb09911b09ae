-- Sets an item of custom state.
INSERT INTO custom_state (n, name, value) VALUES (:n, :name, :value)
ON CONFLICT (n, name) DO UPDATE SET value = excluded.value;
