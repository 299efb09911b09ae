package metrics

const (
	minute = 60
	hour   = 60 * minute
	day    = 24 * hour
)

// What one attempt takes, and how long a task waits: from a query to a batch job.
var taskBuckets = []float64{
	0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 1 * minute, 2 * minute, 5 * minute, 10 * minute, 30 * minute, 1 * hour,
}

// What an execution takes: from a request that waits for it to a trial month.
var executionBuckets = []float64{
	0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 1 * minute, 5 * minute, 15 * minute, 30 * minute, 1 * hour, 4 * hour, 12 * hour,
	1 * day, 3 * day, 7 * day, 14 * day, 30 * day,
}

// What the database takes to answer.
var databaseBuckets = []float64{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10}

var batchBuckets = []float64{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000}
