// Package tool is only a module: its go.mod says which statsd_exporter the drill runs.
package tool
