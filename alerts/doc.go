// Package alerts makes alert rules of the catalogue of metrics, in three forms: a rule file for Prometheus, a
// PrometheusRule for its operator, and a provisioning file for Grafana's own alerting. The files beside this one are
// what it makes with the zero [Options], with an example of how Alertmanager routes the alerts; `stent alerts --out DIR`
// makes others. Each alert has a page in runbooks, which says what it means, how bad it is, what to type, and how it
// ends.
package alerts
