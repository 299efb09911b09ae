//go:build promtool

package alerts

import "time"

// story is what Prometheus sees, and when which alerts fire of it. Samples are a minute apart, in promtool's notation:
// 5x3 is 5 5 5 5, 0+2x3 is 0 2 4 6, _x3 are no samples.
type story struct {
	name, alert string
	series      map[string]string
	at          map[time.Duration][]firing // what fires then; nothing where there is none
}

// firing is one alert: its labels and how its value is written in its description.
type firing struct {
	labels map[string]string
	value  string
}

func fires(value string, labels ...string) []firing { return []firing{one(value, labels...)} }

func one(value string, labels ...string) firing {
	f := firing{labels: map[string]string{}, value: value}
	for i := 0; i < len(labels); i += 2 {
		f.labels[labels[i]] = labels[i+1]
	}
	return f
}

const min = time.Minute

// Two processes, a and b, export everything, as two workers on one database do.
var (
	billing = []string{"namespace", "shop", "queue", "billing"}
	charge  = []string{"namespace", "shop", "queue", "billing", "step", "charge"}
	orders  = []string{"namespace", "shop", "workflow", "order"}
)

// both is the same series of both processes.
func both(series map[string]string) map[string]string {
	all := map[string]string{}
	for name, values := range series {
		for _, instance := range []string{"a", "b"} {
			all[with(name, `namespace="shop",job="orders",instance="`+instance+`"`)] = values
		}
	}
	return all
}

var stories = []story{
	{
		name: "rising and old", alert: "StentQueueGrowing",
		series: both(map[string]string{
			`stent_queue_depth{queue="billing"}`:              "50+20x30 0x30",
			`stent_queue_oldest_age_seconds{queue="billing"}`: "0+60x30 0x30",
			`stent_queue_paused{queue="billing"}`:             "0x60",
		}),
		at: map[time.Duration][]firing{15 * min: nil, 20 * min: fires("450", billing...), 45 * min: nil},
	}, {
		name: "rising and young", alert: "StentQueueGrowing",
		series: both(map[string]string{
			`stent_queue_depth{queue="billing"}`:              "50+20x60",
			`stent_queue_oldest_age_seconds{queue="billing"}`: "300x60",
			`stent_queue_paused{queue="billing"}`:             "0x60",
		}),
		at: map[time.Duration][]firing{30 * min: nil, 60 * min: nil},
	}, {
		name: "old and flat", alert: "StentQueueGrowing",
		series: both(map[string]string{
			`stent_queue_depth{queue="billing"}`:              "500x60",
			`stent_queue_oldest_age_seconds{queue="billing"}`: "600x60",
		}),
		at: map[time.Duration][]firing{30 * min: nil, 60 * min: nil},
	}, {
		name: "rising, old and few", alert: "StentQueueGrowing",
		series: both(map[string]string{
			`stent_queue_depth{queue="billing"}`:              "40+1x60",
			`stent_queue_oldest_age_seconds{queue="billing"}`: "600x60",
		}),
		at: map[time.Duration][]firing{30 * min: nil, 60 * min: nil},
	}, {
		name: "rising, old and paused", alert: "StentQueueGrowing",
		series: both(map[string]string{
			`stent_queue_depth{queue="billing"}`:              "50+20x60",
			`stent_queue_oldest_age_seconds{queue="billing"}`: "600x60",
			`stent_queue_paused{queue="billing"}`:             "1x60",
		}),
		at: map[time.Duration][]firing{30 * min: nil, 60 * min: nil},
	},

	{
		name: "nothing ends", alert: "StentQueueStalled",
		series: both(map[string]string{
			`stent_queue_depth{queue="billing"}`:                                            "5x40 0x20",
			`stent_queue_oldest_age_seconds{queue="billing"}`:                               "0+60x40 0x20",
			`stent_queue_workers{queue="billing"}`:                                          "2x60",
			`stent_tasks_completed_total{queue="billing",step="charge",kind="activity"}`:    "100x40 100+1x20",
			`stent_tasks_completed_total{queue="default",step="order",kind="orchestrator"}`: "0+5x60",
			`stent_queue_depth{queue="default"}`:                                            "5x60",
			`stent_queue_oldest_age_seconds{queue="default"}`:                               "0+60x60",
			`stent_queue_workers{queue="default"}`:                                          "2x60",
		}),
		at: map[time.Duration][]firing{20 * min: nil, 25 * min: fires("5", billing...), 45 * min: nil},
	}, {
		name: "one ends now and then", alert: "StentQueueStalled",
		series: both(map[string]string{
			`stent_queue_depth{queue="billing"}`:                                         "5x60",
			`stent_queue_oldest_age_seconds{queue="billing"}`:                            "0+60x60",
			`stent_queue_workers{queue="billing"}`:                                       "2x60",
			`stent_tasks_completed_total{queue="billing",step="charge",kind="activity"}`: "0x9 1x9 2x9 3x9 4x9 5x9 6x9",
		}),
		at: map[time.Duration][]firing{30 * min: nil, 60 * min: nil},
	},

	{
		name: "nobody serves", alert: "StentQueueWithoutWorkers",
		series: both(map[string]string{
			`stent_queue_depth{queue="billing"}`:   "3x20",
			`stent_queue_workers{queue="billing"}`: "2x4 0x9 2x10",
		}),
		at: map[time.Duration][]firing{6 * min: nil, 8 * min: fires("3", billing...), 16 * min: nil},
	}, {
		name: "nobody serves and nothing waits", alert: "StentQueueWithoutWorkers",
		series: both(map[string]string{
			`stent_queue_depth{queue="billing"}`:   "0x20",
			`stent_queue_workers{queue="billing"}`: "0x20",
		}),
		at: map[time.Duration][]firing{10 * min: nil, 20 * min: nil},
	}, {
		name: "nobody serves a paused queue", alert: "StentQueueWithoutWorkers",
		series: both(map[string]string{
			`stent_queue_depth{queue="billing"}`:   "3x20",
			`stent_queue_workers{queue="billing"}`: "0x20",
			`stent_queue_paused{queue="billing"}`:  "1x20",
		}),
		at: map[time.Duration][]firing{10 * min: nil, 20 * min: nil},
	},

	{
		name: "one is never taken", alert: "StentTasksWaitLong",
		series: both(map[string]string{
			`stent_queue_oldest_age_seconds{queue="billing"}`: "0+60x44 0x20",
			`stent_queue_workers{queue="billing"}`:            "2x60",
		}),
		at: map[time.Duration][]firing{34 * min: nil, 40 * min: fires("40m 0s", billing...), 46 * min: nil},
	}, {
		name: "half an hour", alert: "StentTasksWaitLong",
		series: both(map[string]string{
			`stent_queue_oldest_age_seconds{queue="billing"}`: "1800x60",
			`stent_queue_workers{queue="billing"}`:            "2x60",
		}),
		at: map[time.Duration][]firing{30 * min: nil, 60 * min: nil},
	},

	{
		name: "the first one ever", alert: "StentDeadLettersGrowing",
		series: map[string]string{
			`stent_build_info{namespace="shop",job="orders",instance="a"}`:                                       "1x60",
			`stent_dead_letters_total{namespace="shop",job="orders",instance="a",queue="billing",step="charge"}`: "_x20 1x40",
		},
		at: map[time.Duration][]firing{20 * min: nil, 24 * min: fires("1", charge...), 42 * min: nil},
	}, {
		name: "one more in each process", alert: "StentDeadLettersGrowing",
		series: map[string]string{
			`stent_build_info{namespace="shop",job="orders",instance="a"}`:                                       "1x60",
			`stent_build_info{namespace="shop",job="orders",instance="b"}`:                                       "1x60",
			`stent_dead_letters_total{namespace="shop",job="orders",instance="a",queue="billing",step="charge"}`: "5x19 6x40",
			`stent_dead_letters_total{namespace="shop",job="orders",instance="b",queue="billing",step="charge"}`: "_x20 1x40",
		},
		at: map[time.Duration][]firing{19 * min: nil, 24 * min: fires("2", charge...), 42 * min: nil},
	}, {
		name: "many long ago, and a gap in the scrapes", alert: "StentDeadLettersGrowing",
		series: map[string]string{
			`stent_build_info{namespace="shop",job="orders",instance="a"}`:                                       "1x10 _x20 1x40",
			`stent_dead_letters_total{namespace="shop",job="orders",instance="a",queue="billing",step="charge"}`: "5000x10 _x20 5000x40",
		},
		at: map[time.Duration][]firing{10 * min: nil, 33 * min: nil, 40 * min: nil, 50 * min: nil, 60 * min: nil},
	},

	{
		name: "eleven", alert: "StentDeadLettersPending",
		series: both(map[string]string{`stent_queue_dead_letters{queue="billing"}`: "0x4 11x30 3x20"}),
		at:     map[time.Duration][]firing{18 * min: nil, 25 * min: fires("11", billing...), 45 * min: nil},
	}, {
		name: "ten", alert: "StentDeadLettersPending",
		series: both(map[string]string{`stent_queue_dead_letters{queue="billing"}`: "10x60"}),
		at:     map[time.Duration][]firing{30 * min: nil, 60 * min: nil},
	},

	{
		name: "one in ten", alert: "StentFailureRateHigh",
		series: both(map[string]string{
			`stent_tasks_completed_total{queue="billing",step="charge",kind="activity"}`: "0+9x60",
			`stent_tasks_failed_total{queue="billing",step="charge",retrying="false"}`:   "0+1x20 21x40",
		}),
		at: map[time.Duration][]firing{5 * min: nil, 10 * min: fires("10%", charge...), 30 * min: nil},
	}, {
		name: "all, and no series of what completed", alert: "StentFailureRateHigh",
		series: both(map[string]string{`stent_tasks_failed_total{queue="billing",step="charge",retrying="false"}`: "0+4x20 84x40"}),
		at:     map[time.Duration][]firing{10 * min: fires("100%", charge...), 30 * min: nil},
	}, {
		name: "one in twenty-five", alert: "StentFailureRateHigh",
		series: both(map[string]string{
			`stent_tasks_completed_total{queue="billing",step="charge",kind="activity"}`: "0+24x60",
			`stent_tasks_failed_total{queue="billing",step="charge",retrying="false"}`:   "0+1x60",
		}),
		at: map[time.Duration][]firing{30 * min: nil, 60 * min: nil},
	}, {
		name: "half of next to nothing", alert: "StentFailureRateHigh",
		series: both(map[string]string{
			`stent_tasks_completed_total{queue="billing",step="charge",kind="activity"}`: "0+0.9x60",
			`stent_tasks_failed_total{queue="billing",step="charge",retrying="false"}`:   "0+0.9x60",
		}),
		at: map[time.Duration][]firing{30 * min: nil, 60 * min: nil},
	}, {
		name: "half, but all are tried again", alert: "StentFailureRateHigh",
		series: both(map[string]string{
			`stent_tasks_completed_total{queue="billing",step="charge",kind="activity"}`: "0+10x60",
			`stent_tasks_failed_total{queue="billing",step="charge",retrying="true"}`:    "0+10x60",
		}),
		at: map[time.Duration][]firing{30 * min: nil, 60 * min: nil},
	},

	{
		name: "three in five", alert: "StentRetryStorm",
		series: both(map[string]string{
			`stent_tasks_completed_total{queue="billing",step="charge",kind="activity"}`: "0+4x60",
			`stent_tasks_failed_total{queue="billing",step="charge",retrying="true"}`:    "0+6x30 186x30",
		}),
		at: map[time.Duration][]firing{10 * min: nil, 20 * min: fires("60%", charge...), 45 * min: nil},
	}, {
		name: "half", alert: "StentRetryStorm",
		series: both(map[string]string{
			`stent_tasks_completed_total{queue="billing",step="charge",kind="activity"}`: "0+5x60",
			`stent_tasks_failed_total{queue="billing",step="charge",retrying="true"}`:    "0+4x60",
			`stent_tasks_failed_total{queue="billing",step="charge",retrying="false"}`:   "0+1x60",
		}),
		at: map[time.Duration][]firing{30 * min: nil, 60 * min: nil},
	},

	{
		name: "one in five", alert: "StentExecutionsFailing",
		series: both(map[string]string{
			`stent_executions_finished_total{workflow="order",state="completed"}`: "0+8x60",
			`stent_executions_finished_total{workflow="order",state="failed"}`:    "0+1x20 21x40",
			`stent_executions_finished_total{workflow="order",state="timed_out"}`: "0+1x20 21x40",
		}),
		at: map[time.Duration][]firing{5 * min: nil, 10 * min: fires("20%", orders...), 30 * min: nil},
	}, {
		name: "one in ten, and half are cancelled", alert: "StentExecutionsFailing",
		series: both(map[string]string{
			`stent_executions_finished_total{workflow="order",state="completed"}`: "0+4x60",
			`stent_executions_finished_total{workflow="order",state="failed"}`:    "0+1x60",
			`stent_executions_finished_total{workflow="order",state="cancelled"}`: "0+5x60",
		}),
		at: map[time.Duration][]firing{30 * min: nil, 60 * min: nil},
	},

	{
		name: "the first", alert: "StentTaskPoisoned",
		series: map[string]string{
			`stent_build_info{namespace="shop",job="orders",instance="a"}`:                                         "1x60",
			`stent_tasks_poisoned_total{namespace="shop",job="orders",instance="a",queue="billing",step="charge"}`: "_x20 1x40",
		},
		at: map[time.Duration][]firing{20 * min: nil, 24 * min: fires("1", charge...), 42 * min: nil},
	}, {
		name: "one, an hour ago", alert: "StentTaskPoisoned",
		series: both(map[string]string{
			`stent_build_info{}`: "1x60", `stent_tasks_poisoned_total{queue="billing",step="charge"}`: "1x60",
		}),
		at: map[time.Duration][]firing{30 * min: nil, 60 * min: nil},
	},

	{
		name: "full and still", alert: "StentWorkerWedged",
		series: map[string]string{
			`stent_worker_slots{namespace="shop",job="orders",instance="a"}`:                           "10x60",
			`stent_worker_slots_used{namespace="shop",job="orders",instance="a"}`:                      "10x60",
			`stent_worker_last_progress_timestamp_seconds{namespace="shop",job="orders",instance="a"}`: "60x40 2460+60x20",
			`stent_worker_slots{namespace="shop",job="orders",instance="b"}`:                           "10x60",
			`stent_worker_slots_used{namespace="shop",job="orders",instance="b"}`:                      "9x60",
			`stent_worker_last_progress_timestamp_seconds{namespace="shop",job="orders",instance="b"}`: "60x60",
		},
		at: map[time.Duration][]firing{20 * min: nil, 31 * min: fires("30m 0s", "namespace", "shop", "job", "orders", "instance", "a"), 45 * min: nil},
	}, {
		name: "full and busy", alert: "StentWorkerWedged",
		series: both(map[string]string{
			`stent_worker_slots{}`: "10x60", `stent_worker_slots_used{}`: "10x60", `stent_worker_last_progress_timestamp_seconds{}`: "0+60x60",
		}),
		at: map[time.Duration][]firing{30 * min: nil, 60 * min: nil},
	}, {
		name: "no worker runs in the process", alert: "StentWorkerWedged",
		series: both(map[string]string{
			`stent_worker_slots{}`: "0x60", `stent_worker_slots_used{}`: "0x60", `stent_worker_last_progress_timestamp_seconds{}`: "0x60",
		}),
		at: map[time.Duration][]firing{30 * min: nil, 60 * min: nil},
	},

	{
		name: "once", alert: "StentLeasesLost",
		series: map[string]string{
			`stent_build_info{namespace="shop",job="orders",instance="a"}`:                            "1x60",
			`stent_lease_renewals_total{namespace="shop",job="orders",instance="a",result="renewed"}`: "0+6x60",
			`stent_lease_renewals_total{namespace="shop",job="orders",instance="a",result="lost"}`:    "_x20 1x40",
		},
		at: map[time.Duration][]firing{20 * min: nil, 24 * min: fires("1", "namespace", "shop", "job", "orders", "instance", "a"), 42 * min: nil},
	}, {
		name: "renewals that failed and were made good", alert: "StentLeasesLost",
		series: both(map[string]string{
			`stent_build_info{}`: "1x60", `stent_lease_renewals_total{result="error"}`: "0+1x60", `stent_lease_renewals_total{result="lost"}`: "0x60",
		}),
		at: map[time.Duration][]firing{30 * min: nil, 60 * min: nil},
	},

	{
		name: "three", alert: "StentTasksTakenOver",
		series: map[string]string{
			`stent_build_info{namespace="shop",job="orders",instance="a"}`:                            "1x60",
			`stent_lease_takeovers_total{namespace="shop",job="orders",instance="a",queue="billing"}`: "_x20 3x40",
		},
		at: map[time.Duration][]firing{20 * min: nil, 24 * min: fires("3", billing...), 42 * min: nil},
	}, {
		name: "none for long", alert: "StentTasksTakenOver",
		series: both(map[string]string{`stent_build_info{}`: "1x60", `stent_lease_takeovers_total{queue="billing"}`: "3x60"}),
		at:     map[time.Duration][]firing{30 * min: nil, 60 * min: nil},
	},

	{
		name: "ten in five minutes", alert: "StentBackendErrors",
		series: both(map[string]string{`stent_backend_errors_total{operation="commit",reason="disk_full"}`: "0+1x20 21x40"}),
		at:     map[time.Duration][]firing{5 * min: nil, 15 * min: fires("10", "namespace", "shop", "operation", "commit", "reason", "disk_full"), 30 * min: nil},
	}, {
		name: "five in five minutes", alert: "StentBackendErrors",
		series: both(map[string]string{`stent_backend_errors_total{operation="commit",reason="disk_full"}`: "0+0.5x60"}),
		at:     map[time.Duration][]firing{30 * min: nil, 60 * min: nil},
	},

	{
		name: "seven seconds behind", alert: "StentClockSkewed",
		series: map[string]string{
			`stent_database_clock_skew_seconds{namespace="shop",job="orders",instance="a"}`: "-7x20 0x40",
			`stent_database_clock_skew_seconds{namespace="shop",job="orders",instance="b"}`: "5x60",
		},
		at: map[time.Duration][]firing{4 * min: nil, 10 * min: fires("7s", "namespace", "shop", "job", "orders", "instance", "a"), 25 * min: nil, 60 * min: nil},
	},

	{
		name: "every look fails", alert: "StentSampleStale",
		series: both(map[string]string{`stent_sampler_up{}`: "1x4 0x10 1x20", `stent_sample_timestamp_seconds{}`: "0+60x34"}),
		at:     map[time.Duration][]firing{6 * min: nil, 10 * min: fires("", "namespace", "shop"), 20 * min: nil},
	}, {
		name: "the sampler hangs", alert: "StentSampleStale",
		series: both(map[string]string{`stent_sampler_up{}`: "1x60", `stent_sample_timestamp_seconds{}`: "0+60x10 600x20 1860+60x29"}),
		at:     map[time.Duration][]firing{12 * min: nil, 20 * min: fires("", "namespace", "shop"), 40 * min: nil},
	}, {
		name: "one process's look fails, another's does not", alert: "StentSampleStale",
		series: map[string]string{
			`stent_sampler_up{namespace="shop",job="orders",instance="a"}`:               "0x60",
			`stent_sampler_up{namespace="shop",job="orders",instance="b"}`:               "1x60",
			`stent_sample_timestamp_seconds{namespace="shop",job="orders",instance="a"}`: "0x60",
			`stent_sample_timestamp_seconds{namespace="shop",job="orders",instance="b"}`: "0+60x60",
		},
		at: map[time.Duration][]firing{30 * min: nil, 60 * min: nil},
	},

	{
		name: "all gone", alert: "StentMetricsAbsent",
		series: both(map[string]string{`stent_build_info{version="v1",backend="sqlite"}`: "1x10 _x30 1x20"}),
		at:     map[time.Duration][]firing{15 * min: nil, 25 * min: fires(""), 45 * min: nil},
	}, {
		name: "one process gone", alert: "StentMetricsAbsent",
		series: map[string]string{
			`stent_build_info{instance="a"}`: "1x10", `stent_build_info{instance="b"}`: "1x60",
		},
		at: map[time.Duration][]firing{30 * min: nil, 60 * min: nil},
	},

	{
		name: "one in five, of an objective of 99 %", alert: "StentSLOBurning",
		series: both(map[string]string{
			`stent_step_slo_ratio{queue="billing",step="charge"}`:                        "0.99x60",
			`stent_tasks_completed_total{queue="billing",step="charge",kind="activity"}`: "0+4x60",
			`stent_tasks_failed_total{queue="billing",step="charge",retrying="false"}`:   "0+1x25 25x40",
		}),
		at: map[time.Duration][]firing{
			1 * min:  nil,
			10 * min: {one("20%", burning("1h", "5m")...)},
			20 * min: {one("20%", burning("1h", "5m")...), one("20%", burning("6h", "30m")...)},
			34 * min: {one("15.53%", burning("6h", "30m")...)}, // the shortest window has recovered
			58 * min: nil,
		},
	}, {
		name: "one in ten is too slow for the first pair of windows", alert: "StentSLOBurning",
		series: both(map[string]string{
			`stent_step_slo_ratio{queue="billing",step="charge"}`:                        "0.99x60",
			`stent_tasks_completed_total{queue="billing",step="charge",kind="activity"}`: "0+9x60",
			`stent_tasks_failed_total{queue="billing",step="charge",retrying="false"}`:   "0+1x60",
		}),
		at: map[time.Duration][]firing{10 * min: nil, 30 * min: {one("10%", burning("6h", "30m")...)}},
	}, {
		name: "two in a hundred burn slowly", alert: "StentSLOBurning",
		series: both(map[string]string{
			`stent_step_slo_ratio{queue="billing",step="charge"}`:                        "0.99x200",
			`stent_tasks_completed_total{queue="billing",step="charge",kind="activity"}`: "0+98x200",
			`stent_tasks_failed_total{queue="billing",step="charge",retrying="false"}`:   "0+2x200",
		}),
		at: map[time.Duration][]firing{170 * min: nil, 190 * min: {one("2%", "long", "3d", "short", "6h", "severity", Warning,
			"namespace", "shop", "queue", "billing", "step", "charge")}},
	}, {
		name: "four in a hundred burn faster", alert: "StentSLOBurning",
		series: both(map[string]string{
			`stent_step_slo_ratio{queue="billing",step="charge"}`:                        "0.99x200",
			`stent_tasks_completed_total{queue="billing",step="charge",kind="activity"}`: "0+96x200",
			`stent_tasks_failed_total{queue="billing",step="charge",retrying="false"}`:   "0+4x200",
		}),
		at: map[time.Duration][]firing{50 * min: nil, 70 * min: {one("4%", "long", "1d", "short", "2h", "severity", Warning,
			"namespace", "shop", "queue", "billing", "step", "charge")}},
	}, {
		name: "one in five of a step without objective", alert: "StentSLOBurning",
		series: both(map[string]string{
			`stent_tasks_completed_total{queue="billing",step="charge",kind="activity"}`: "0+4x60",
			`stent_tasks_failed_total{queue="billing",step="charge",retrying="false"}`:   "0+1x60",
		}),
		at: map[time.Duration][]firing{30 * min: nil, 60 * min: nil},
	}, {
		name: "half of what the objective allows", alert: "StentSLOBurning",
		series: both(map[string]string{
			`stent_step_slo_ratio{queue="billing",step="charge"}`:                        "0.98x200",
			`stent_tasks_completed_total{queue="billing",step="charge",kind="activity"}`: "0+990x200",
			`stent_tasks_failed_total{queue="billing",step="charge",retrying="false"}`:   "0+10x200",
		}),
		at: map[time.Duration][]firing{100 * min: nil, 200 * min: nil},
	},
}

func burning(long, short string) []string {
	return []string{"long", long, "short", short, "severity", Critical, "namespace", "shop", "queue", "billing", "step", "charge"}
}
