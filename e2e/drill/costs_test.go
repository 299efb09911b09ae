package drill_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/e2e/parts"
	"github.com/stentgo/stent/internal/pgtest"
	"github.com/stentgo/stent/metrics"
)

// shift is how a process worked off executions that only ask for a rate, which takes a millisecond: the engine is most of it.
type shift struct {
	took  time.Duration // until the last of them ended
	pause time.Duration // the longest in which none ended
	drain time.Duration // until Serve returned
	count map[string]float64
}

const callsOfAShift = 200

// work lets a process do a shift, all of which is there when it begins.
func (r role) work(t *testing.T) shift {
	t.Helper()
	r.Name, r.Namespace, r.Queues, r.Lease = "shop-1", "shop", []string{"default"}, time.Minute
	r.Metrics, r.Log = fmt.Sprintf("127.0.0.1:%d", parts.Ports(t, 1)[0]), filepath.Join(t.TempDir(), "log")
	p, err := r.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer p.end()
	inputs := make([]core.Input[int], callsOfAShift)
	for n := range inputs {
		inputs[n] = core.Input[int]{In: n}
	}
	runs, err := rates.StartMany(t.Context(), p.engine, inputs)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	began := time.Now()
	go func() {
		served <- p.engine.Serve(ctx, core.WorkerConfig{Name: r.Name, Slots: 100, Queues: r.Queues, Lease: r.Lease})
	}()
	limit, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for n, run := range runs {
		if _, err := run.Wait(limit); err != nil {
			t.Fatalf("execution %d of %d, after %v: %v", n+1, callsOfAShift, time.Since(began), err)
		}
	}
	s := shift{took: time.Since(began)}
	stop()
	asked := time.Now()
	if err := <-served; err != nil {
		t.Fatal(err)
	}
	s.drain = time.Since(asked)

	var ends []time.Time
	list, err := p.db.Executions(t.Context(), backend.ExecutionFilter{Limit: callsOfAShift + 1})
	if err != nil {
		t.Fatal(err)
	}
	for i := range list {
		if list[i].State == backend.Completed {
			ends = append(ends, list[i].Finished)
		}
	}
	if len(ends) != callsOfAShift {
		t.Fatalf("%d of %d executions are completed", len(ends), callsOfAShift)
	}
	slices.SortFunc(ends, time.Time.Compare)
	for i := 1; i < len(ends); i++ {
		s.pause = max(s.pause, ends[i].Sub(ends[i-1]))
	}
	s.count = scrape(t, "http://"+r.Metrics+"/metrics")
	for _, m := range []metrics.Metric{metrics.EventsDropped, metrics.TasksFailed, metrics.FencedWrites, metrics.BackendErrors, metrics.LeaseTakeovers} {
		if n := s.count[m.Name]; n != 0 {
			t.Errorf("%s is %v", m.Name, n)
		}
	}
	if n := s.count[metrics.TasksCompleted.Name]; n != 2*callsOfAShift {
		t.Errorf("%v tasks are told to be completed, want %d", n, 2*callsOfAShift)
	}
	return s
}

var sampleLine = regexp.MustCompile(`(?m)^(\w+)(?:\{[^}]*\})? (\S+)`)

// scrape reads metrics, and adds up the series of each.
func scrape(t *testing.T, url string) map[string]float64 {
	t.Helper()
	response, err := http.Get(url) //nolint:noctx // short
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]float64{}
	for _, m := range sampleLine.FindAllStringSubmatch(string(body), -1) {
		v, err := strconv.ParseFloat(m[2], 64)
		if err != nil {
			t.Fatal(err)
		}
		all[m[1]] += v
	}
	return all
}

// A StatsD server and an agent that are not there, and a collector that takes what it is sent and never answers, whose
// time-out is ten seconds: nothing that is measured of the engine shows them.
func TestDeadEndpointsCostNothing(t *testing.T) {
	alive := role{StatsD: udpSink(t), Agent: udpSink(t), OTLP: httptestSink(t)}
	ports := parts.Ports(t, 2) // free, and so nobody's
	dead := role{StatsD: fmt.Sprintf("127.0.0.1:%d", ports[0]), Agent: fmt.Sprintf("127.0.0.1:%d", ports[1]), OTLP: "http://" + tcpHole(t)}

	// The best time of several shifts says what the work costs without what else the machine does. They take turns until
	// the two are near each other, which they never get where a dead endpoint holds the engine up.
	const most, near = 8, 1.15
	var best [2]time.Duration
	for round := range most {
		for i, r := range []role{alive, dead} {
			r.Database = pgtest.DSN(t)
			s := r.work(t)
			t.Logf("%s: %d executions in %v, at most %v between two ends, drained in %v", []string{"alive", "dead"}[i], callsOfAShift,
				s.took.Round(time.Millisecond), s.pause.Round(time.Millisecond), s.drain.Round(time.Millisecond))
			if best[i] == 0 || s.took < best[i] {
				best[i] = s.took
			}
			const blocked = 5 * time.Second // half the exporters' time-out
			if s.pause > blocked || s.drain > blocked {
				t.Errorf("the engine stood still for %v, and drained in %v", s.pause, s.drain)
			}
		}
		if ratio := float64(best[1]) / float64(best[0]); round >= 2 && ratio <= near {
			fmt.Printf("dead endpoints: %d executions take %v, and %v with endpoints that live: %.2f times as long (%d shifts each)\n", callsOfAShift,
				best[1].Round(time.Millisecond), best[0].Round(time.Millisecond), ratio, round+1)
			return
		}
	}
	t.Errorf("with dead endpoints %d executions take %v, else %v", callsOfAShift, best[1], best[0])
}

// A database that answers 40 ms later delays what waits for it, and nothing else: no lease is lost, no attempt fails, no
// event is dropped, and what waits shares transactions, so that a task does not pay for one.
func TestASlowDatabaseCostsNothingButItsTime(t *testing.T) {
	alive := role{StatsD: udpSink(t), Agent: udpSink(t), OTLP: httptestSink(t)}
	near, far := alive, alive
	near.Database, far.Database = pgtest.DSN(t), pgtest.DSN(t)
	line := parts.StartProxy(t, hostOf(t, far.Database))
	line.Delay(20 * time.Millisecond)
	far.Database = throughProxy(far.Database, line)
	fast, slow := near.work(t), far.work(t)
	batch := metrics.CommitBatchSize.Name
	for name, s := range map[string]shift{"fast": fast, "slow": slow} {
		t.Logf("%s: %d executions in %v, %v commands in %v transactions, at most %v between two ends", name, callsOfAShift, s.took.Round(time.Millisecond),
			s.count[batch+"_sum"], s.count[batch+"_count"], s.pause.Round(time.Millisecond))
		if n := s.count[metrics.LeaseRenewals.Name]; n < 1 {
			t.Errorf("%s: %v heartbeats", name, n)
		}
	}
	if n := slow.count[batch+"_count"]; n > callsOfAShift { // there are two tasks in each, which are begun and ended
		t.Errorf("%v transactions for %d executions: a task waits for one of its own", n, callsOfAShift)
	}
	fmt.Printf("a slow database: %v transactions for %d executions, each 40 ms longer, and %v where it answers at once\n", slow.count[batch+"_count"],
		callsOfAShift, fast.count[batch+"_count"])
}

// udpSink takes packets and throws them away.
func udpSink(t *testing.T) string {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	go func() {
		b := make([]byte, 64<<10)
		for {
			if _, _, err := c.ReadFrom(b); err != nil {
				return
			}
		}
	}()
	return c.LocalAddr().String()
}

// httptestSink answers everything with 200.
func httptestSink(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	t.Cleanup(server.Close)
	return server.URL
}

// tcpHole accepts connections and never answers.
func tcpHole(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = c.Close() })
		}
	}()
	return l.Addr().String()
}
