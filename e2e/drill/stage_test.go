package drill_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stentgo/stent/e2e/parts"
	"github.com/stentgo/stent/internal/pgtest"
	"github.com/stentgo/stent/internal/promtest"
)

var (
	stay     = flag.Bool("stay", false, "leave everything running when the story is over, until Ctrl-C")
	pictures = flag.String("pictures", "", "draw the dashboards of the story into this `folder`")
)

// scale is the time of the drill: a minute of the rules is a second. It and the thresholds that fit a small shop are the
// ordinary flags of stent alerts.
const scale = 1.0 / 60

var alertFlags = []string{
	"--scale", fmt.Sprint(scale), "--selector", `job="shop"`,
	"--queue-depth", "20", "--traffic", "10", "--backend-errors", "2", "--sample-age", "6m",
	"--for", "StentMetricsAbsent=10m", // Prometheus takes 5 s, of which the rules make minutes, until it scrapes for the first time
}

// stage is the parts, and the processes of the shop.
type stage struct {
	t      *testing.T
	ctx    context.Context //nolint:containedctx // the drill's: it ends with Ctrl-C
	began  time.Time
	folder string

	hook         *promtest.Webhook
	prometheus   *prometheus
	alertmanager string
	byUDP        *parts.Jaeger // the Jaeger that spans reach in Thrift by UDP
	byOTLP       *parts.Jaeger // the one that they reach by OTLP and the collector
	collector    string
	database     string       // of the namespace shop
	line         *parts.Proxy // to the database of the branch

	roles   []role
	running map[string]*parts.Program
	beside  map[string]*parts.Program // the statsd_exporter of each
	office  *process                  // starts orders and mends what is broken, in this process
	rest    func()                    // ends the office's looking at the database

	watch    *watch
	reported int // notices that were printed
}

// say prints how far it is.
func (s *stage) say(format string, args ...any) {
	fmt.Printf("[%4.0f s] %s\n", time.Since(s.began).Seconds(), fmt.Sprintf(format, args...))
}

// eventually polls until done returns no error, up to a limit.
func (s *stage) eventually(limit time.Duration, done func() error) {
	s.t.Helper()
	if err := s.within(limit, done); err != nil {
		s.t.Fatal(err)
	}
}

// within polls until done returns no error, up to a limit, and returns the last error.
func (s *stage) within(limit time.Duration, done func() error) error {
	s.t.Helper()
	for deadline := time.Now().Add(limit); ; s.wait(200 * time.Millisecond) {
		err := done()
		if err == nil || time.Now().After(deadline) {
			return err
		}
	}
}

// wait lets the story go on for a while.
func (s *stage) wait(d time.Duration) {
	s.t.Helper()
	select {
	case <-time.After(d):
		s.report()
	case <-s.ctx.Done():
		s.t.Fatal("interrupted")
	}
}

func newStage(t *testing.T, ctx context.Context) *stage {
	t.Helper()
	s := &stage{t: t, ctx: ctx, began: time.Now(), folder: t.TempDir(), running: map[string]*parts.Program{}, beside: map[string]*parts.Program{}}
	s.database = pgtest.DSN(t)
	s.versions()
	branch := pgtest.DSN(t)
	s.line = parts.StartProxy(t, hostOf(t, branch))
	s.byUDP, s.byOTLP = parts.StartJaeger(t), parts.StartJaeger(t)
	s.hook = promtest.NewWebhook(t)
	rules := s.rules()
	s.alertmanager = promtest.Alertmanager(t, bytesOf(t, filepath.Join(rules, "alertmanager.yml"), "http://localhost:9095", s.hook.URL))

	// Where Prometheus takes OTLP has to be known to the collector before Prometheus is there.
	relay := parts.StartProxy(t, "")
	s.collector = parts.StartCollector(t, s.byOTLP.OTLP, "http://"+relay.Addr+"/api/v1/otlp")
	s.cast(throughProxy(branch, s.line))
	for _, r := range s.roles {
		if r.Name != "office-1" && !late[r.Name] {
			s.start(r.Name)
		}
	}
	s.openOffice()

	started := promtest.Prometheus(t, []byte(s.config()), map[string][]byte{
		"stent.rules.yml": bytesOf(t, filepath.Join(rules, "stent.rules.yml"), "", ""),
	}, "--web.enable-otlp-receiver", "--enable-feature=exemplar-storage", "--query.lookback-delta=5s", "--log.level=error")
	s.prometheus = &prometheus{url: started}
	relay.To(strings.TrimPrefix(started, "http://"))
	return s
}

// versions prints which parts these are.
func (s *stage) versions() {
	s.t.Helper()
	for _, part := range []struct{ name, path, module string }{
		{"Prometheus", promtest.Find(s.t, "prometheus"), "github.com/prometheus/prometheus"},
		{"Alertmanager", promtest.Find(s.t, "alertmanager"), "github.com/prometheus/alertmanager"},
		{"statsd_exporter", parts.Build(s.t, "statsd_exporter", "github.com/prometheus/statsd_exporter"), "github.com/prometheus/statsd_exporter"},
		{"Jaeger", parts.Build(s.t, "jaeger", "github.com/jaegertracing/jaeger/cmd/all-in-one"), "github.com/jaegertracing/jaeger"},
		{"OpenTelemetry collector", parts.Build(s.t, "collector", "."), "go.opentelemetry.io/collector/otelcol"},
	} {
		version := parts.Version(s.t, part.path, part.module)
		s.say("%-24s %s", part.name, version)
		if part.name == "Prometheus" && !regexp.MustCompile(`^v0\.3\d\d\.|version 3\.`).MatchString(version) {
			s.t.Fatalf("the drill needs Prometheus 3, which takes OTLP, and %s is %s: `make e2e` builds it", part.path, version)
		}
	}
	s.say("%-24s %s", "PostgreSQL", s.postgres())
}

// rules lets the command write the rules and Alertmanager's configuration.
func (s *stage) rules() string {
	s.t.Helper()
	folder := filepath.Join(s.folder, "rules")
	cmd := exec.CommandContext(s.ctx, parts.BuildStent(s.t), append([]string{"alerts", "--out", folder}, alertFlags...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("%s: %v\n%s", cmd, err, out)
	}
	return folder
}

// late are the processes that the story starts.
var late = map[string]bool{"frag-2": true, "late-1": true}

// mailSlots are those of the worker whose mail server hangs, few enough to be taken soon.
const mailSlots = 4

// cast says who there is.
func (s *stage) cast(branch string) {
	shop := []string{"default", "billing", "photos", "reports"}
	s.roles = []role{
		{Name: "office-1"},
		{Name: "shop-1", Queues: shop, Slots: 40},
		{Name: "shop-2", Queues: shop, Slots: 40},
		{Name: "mail-1", Queues: []string{"mail"}, Slots: mailSlots},
		{Name: "mail-2", Queues: []string{"mail"}, Slots: 20},
		// A process that was stopped learns of its lost lease from whatever it asks first. Let that be a heartbeat.
		{Name: "bind-1", Queues: []string{"bindery"}, Slots: 2, Poll: time.Minute},
		{Name: "bind-2", Queues: []string{"bindery"}, Slots: 2},
		{Name: "frag-1", Queues: []string{"fragile"}, Slots: 2},
		{Name: "frag-2", Queues: []string{"fragile"}, Slots: 2},
		{Name: "late-1", Queues: []string{"reports", "photos", "export"}, Tags: []string{"ledger", "colour"}, Slots: 10},
		{
			Name: "branch-1", Namespace: "branch", Database: branch, Queues: []string{"default", "billing", "mail"}, Slots: 10,
			Customers: time.Second, Lease: time.Minute, // longer than its database is out of reach
		},
		{
			Name: "archive-1", Namespace: "archive", Database: filepath.Join(s.folder, "archive.sqlite"), Queues: []string{"default", "billing", "mail"},
			Slots: 10, Customers: time.Second, Budget: 2, Careless: true,
		},
	}
	ports := parts.Ports(s.t, 2*len(s.roles))
	at := func(i int) string { return fmt.Sprintf("127.0.0.1:%d", ports[i]) }
	for i := range s.roles {
		r := &s.roles[i]
		if r.Namespace == "" {
			r.Namespace, r.Database = "shop", s.database
		}
		if r.Lease == 0 {
			r.Lease = lease
		}
		r.OTLP, r.Agent, r.Log = s.collector, s.byUDP.Agent, filepath.Join(s.folder, r.Name+".log")
		r.Metrics, r.StatsD = at(2*i), at(2*i+1)
		s.beside[r.Name] = parts.StartStatsD(s.t, r.StatsD)
	}
}

// start starts a process, and waits until it can be scraped.
func (s *stage) start(name string) {
	s.t.Helper()
	r := s.role(name)
	told, err := json.Marshal(r)
	if err != nil {
		s.t.Fatal(err)
	}
	s.running[name] = parts.Start(s.t, os.Args[0], []string{envProcess + "=" + string(told)})
	s.running[name].Ready(s.t, "http://"+r.Metrics+"/metrics")
}

func (s *stage) openOffice() {
	s.t.Helper()
	var err error
	if s.office, err = s.role("office-1").open(s.ctx); err != nil {
		s.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(s.ctx)
	var sampling sync.WaitGroup
	sampling.Go(func() { _ = s.office.engine.RunSampler(ctx, sample) }) // StatsD is told of a process with its samples
	s.rest = sync.OnceFunc(func() {
		stop()
		sampling.Wait()
	})
	s.t.Cleanup(func() {
		s.rest()
		s.office.end()
	})
}

func (s *stage) role(name string) role {
	for _, r := range s.roles {
		if r.Name == name {
			return r
		}
	}
	s.t.Fatalf("there is no process %s", name)
	return role{}
}

// is makes something of a process different.
func (s *stage) is(name, what, how string) {
	s.t.Helper()
	response, err := http.PostForm("http://"+s.role(name).Metrics+"/is", url.Values{"what": {what}, "how": {how}}) //nolint:noctx // short
	if err != nil {
		s.t.Fatal(err)
	}
	_ = response.Body.Close()
}

// shopsAre makes something of both processes that do most of the work different.
func (s *stage) shopsAre(what, how string) {
	s.is("shop-1", what, how)
	s.is("shop-2", what, how)
}

// allAre makes something of every process that lives different.
func (s *stage) allAre(what, how string) {
	s.t.Helper()
	for _, name := range s.living() {
		s.is(name, what, how)
	}
}

// living are the names of the processes that live.
func (s *stage) living() []string {
	all := []string{"office-1"}
	for name, program := range s.running {
		select {
		case <-program.Ended():
		default:
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}

func (s *stage) signal(name string, signal syscall.Signal) {
	s.t.Helper()
	if err := s.running[name].Process.Signal(signal); err != nil {
		s.t.Fatalf("%s: %v", name, err)
	}
}

// config is Prometheus's: the processes under the job shop, what they sent by StatsD under shop-statsd. What comes by OTLP
// names itself shop-otel.
func (s *stage) config() string {
	var b strings.Builder
	fmt.Fprintf(&b, `
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [stent.rules.yml]
otlp: {promote_resource_attributes: [namespace]}
alerting: {alertmanagers: [{static_configs: [{targets: [%q]}]}]}
scrape_configs:
`, strings.TrimPrefix(s.alertmanager, "http://"))
	for job, address := range map[string]func(*role) string{
		"shop": func(r *role) string { return r.Metrics }, "shop-statsd": func(r *role) string { return r.StatsD },
	} {
		fmt.Fprintf(&b, "- job_name: %s\n  static_configs:\n", job)
		for i := range s.roles {
			r := &s.roles[i]
			fmt.Fprintf(&b, "  - {targets: [%q], labels: {namespace: %s, instance: %s}}\n", address(r), r.Namespace, r.Name)
		}
	}
	return b.String()
}

// addresses prints where to look.
func (s *stage) addresses() {
	fmt.Printf(`
Prometheus            %s   (it has no page of its own; its API answers, as in %s/api/v1/query?query=stent_queue_depth)
Alertmanager          %s
webhook               %s
Jaeger, by OTLP       %s
Jaeger, by UDP        %s
OTLP                  %s
PostgreSQL            %s
`, s.prometheus.url, s.prometheus.url, s.alertmanager, s.hook.URL, s.byOTLP.Query, s.byUDP.Query, s.collector, s.database)
	for i := range s.roles {
		r := &s.roles[i]
		fmt.Printf("%-21s http://%s/metrics, by StatsD http://%s/metrics, log %s\n", r.Name, r.Metrics, r.StatsD, r.Log)
	}
}

func bytesOf(t *testing.T, file, old, new string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if old == "" {
		return b
	}
	return []byte(strings.ReplaceAll(string(b), old, new))
}

func hostOf(t *testing.T, dsn string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil || u.Port() == "" {
		t.Fatal(errors.Join(errors.New("the DSN has no host and port"), err))
	}
	return u.Host
}

// throughProxy is a DSN by way of a proxy.
func throughProxy(dsn string, p *parts.Proxy) string {
	u, _ := url.Parse(dsn)
	u.Host = p.Addr
	return u.String()
}
