package parts

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stentgo/stent/recorder/statsd"
)

// StartStatsD starts a statsd_exporter with our mapping at host:port: by UDP it takes StatsD, by TCP it shows metrics.
func StartStatsD(t testing.TB, address string) *Program {
	t.Helper()
	binary := Build(t, "statsd_exporter", "github.com/prometheus/statsd_exporter")
	mapping := filepath.Join(t.TempDir(), "mapping.yml")
	if err := os.WriteFile(mapping, []byte(statsd.Mapping()), 0o600); err != nil {
		t.Fatal(err)
	}
	program := Start(t, binary, nil, "--statsd.mapping-config="+mapping, "--statsd.listen-udp="+address, "--statsd.listen-tcp=",
		"--statsd.read-buffer=4194304", "--web.listen-address="+address, "--log.level=error")
	program.Ready(t, "http://"+address+"/metrics")
	return program
}
