package dashboards

// All makes every dashboard, by the name of its file.
func All(o Options) map[string]Dashboard {
	return map[string]Dashboard{
		"overview.json": Overview(o),
		"queue.json":    Queue(o),
		"workflow.json": WorkflowAndStep(o),
		"engine.json":   EngineAndDatabase(o),
	}
}
