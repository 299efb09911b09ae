// Package statsd sends what an engine does to a StatsD server, under the paths of the catalogue in package metrics:
// stent.tasks.completed.QUEUE.STEP and so on, or, by option, under one name with the labels as tags.
//
//	recorder, err := stentstatsd.New("statsd:8125")
//	defer recorder.Close()
//	engine, err := core.New(db, core.WithMetrics(recorder))
//
// What would play with the protocol or with the levels of a path (dots, colons, bars, blanks and the like) becomes an
// underscore in names of queues, steps and workflows. Packets are UDP, so a server that is not there costs nothing; the
// name of its host is looked up again from time to time. A packet has at most 1,432 bytes, and 4,000 to a server on the same
// machine (loopback). Counts are summed and sent every 300 ms; timings are lines of their own, in milliseconds with
// what digits they have, sent within 300 ms. Gauges are sent whenever the database was read for them, every 15 s unless
// core.WithSampleInterval says otherwise.
//
// The file mapping.yml beside this package makes the catalogue's Prometheus metrics of the paths, for statsd_exporter.
package statsd
