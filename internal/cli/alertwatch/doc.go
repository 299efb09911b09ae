// Package alertwatch evaluates alert conditions on the database itself, for those who have an Alertmanager and no
// Prometheus: those of Stent's alerts that counts in the database can tell.
package alertwatch
