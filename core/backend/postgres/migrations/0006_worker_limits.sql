-- What a worker keeps of each activity's limit, so that the console can tell why a task waits. A JSON object; NULL: none.
ALTER TABLE stent.workers ADD COLUMN limits json;
