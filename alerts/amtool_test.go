//go:build promtool

package alerts

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stentgo/stent/internal/promtest"
)

func TestAmtoolAcceptsTheExample(t *testing.T) {
	for name, o := range variants {
		if out, err := amtool(t, o, "check-config", "alertmanager.yml"); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
	broken := strings.Replace(string(Alertmanager(Options{})), "receiver: stent-team", "receiver: nobody", 1)
	if out, err := amtoolText(t, []byte(broken), "check-config", "alertmanager.yml"); err == nil {
		t.Errorf("a receiver that is not there is accepted:\n%s", out)
	}
}

// Who is told of what.
func TestRoutes(t *testing.T) {
	for labels, receiver := range map[string]string{
		"alertname=StentQueueGrowing severity=warning queue=default":   "stent-team",
		"alertname=StentQueueGrowing severity=warning queue=billing":   "stent-team",
		"alertname=StentQueueStalled severity=critical queue=default":  "stent-on-call",
		"alertname=StentQueueStalled severity=critical queue=billing":  "billing-on-call",
		"alertname=StentMetricsAbsent severity=critical":               "stent-on-call",
		"alertname=StentSampleStale severity=warning namespace=shop":   "stent-team",
		"alertname=StentExecutionsFailing severity=critical workflow=": "stent-on-call",
	} {
		args := append([]string{"config", "routes", "test", "--config.file=alertmanager.yml", "--verify.receivers=" + receiver}, strings.Fields(labels)...)
		if out, err := amtool(t, Options{}, args...); err != nil || !strings.HasSuffix("\n"+strings.TrimSpace(out), "\n"+receiver) {
			t.Errorf("%s goes to %s (%v), want %s", labels, out, err, receiver)
		}
	}
}

func amtool(t *testing.T, o Options, args ...string) (string, error) {
	t.Helper()
	return amtoolText(t, Alertmanager(o), args...)
}

func amtoolText(t *testing.T, config []byte, args ...string) (string, error) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "alertmanager.yml"), config, 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), promtest.Find(t, "amtool"), args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}
