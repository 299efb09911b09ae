package drill_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stentgo/stent/e2e/parts"
)

// guidesTree is what Jaeger has to show of an order, however many crashes it went through.
const guidesTree = `stent.dispatch order_workflow producer
  stent.execute order_workflow consumer
    stent.execute validate_order consumer
    stent.execute charge_payment consumer
    stent.execute send_notification consumer
`

// survivor is an order whose notification was under way in the worker that was killed.
type survivor struct{ id, trace string }

func (s *stage) survivors() (all []survivor) {
	s.t.Helper()
	s.ask(`
		SELECT coalesce(e.alias, e.id::text), split_part(e.carrier ->> 'traceparent', '-', 2)
		FROM stent.tasks AS t JOIN stent.executions AS e ON e.id = t.execution_id
		WHERE t.step = 'send_notification' AND t.crashes > 0`, func(rows pgx.Rows) error {
		var v survivor
		defer func() { all = append(all, v) }()
		return rows.Scan(&v.id, &v.trace)
	})
	if len(all) == 0 {
		s.t.Fatal("no order went through the crash")
	}
	return all
}

// tracesAreWhole looks at each order that went through the crash, by both ways of the spans, and at what the killed worker
// and the one after it logged of it.
func (s *stage) tracesAreWhole() {
	s.t.Helper()
	all := s.survivors()
	for _, v := range all {
		for way, jaeger := range map[string]*parts.Jaeger{"Thrift by UDP": s.byUDP, "OTLP": s.byOTLP} {
			var spans []parts.JaegerSpan
			err := s.within(20*time.Second, func() (err error) {
				if spans, err = jaeger.Trace(v.trace); err != nil {
					return err
				}
				if tree, _ := parts.Tree(spans); tree != guidesTree {
					return fmt.Errorf("the tree\n%s\nwant\n%s", tree, guidesTree)
				}
				return nil
			})
			if err != nil {
				s.t.Errorf("order %s, trace %s, by %s: %v", v.id, v.trace, way, err)
				continue
			}
			s.logsAgree(v, spans)
		}
	}
	s.say("%d orders went through the crash; both Jaegers show the guide's tree of each, and the logs name its spans", len(all))
}

// logLine is what is read of a log.
type logLine struct {
	Message     string `json:"msg"`
	ExecutionID string `json:"stent_execution_id"`
	Step        string `json:"stent_step"`
	TraceID     string `json:"trace_id"`
	SpanID      string `json:"span_id"`
}

// logsAgree: both attempts at the notification logged under the order's trace, each under a span of its own, of which the
// killed worker's reached nobody.
func (s *stage) logsAgree(v survivor, spans []parts.JaegerSpan) {
	s.t.Helper()
	for name, told := range map[string]bool{"mail-1": false, "mail-2": true} {
		lines := s.log(name, func(l *logLine) bool {
			return l.Message == "at work" && l.Step == "send_notification" && (l.ExecutionID == v.id || l.TraceID == v.trace)
		})
		if len(lines) != 1 || lines[0].ExecutionID != v.id || lines[0].TraceID != v.trace ||
			slices.ContainsFunc(spans, func(x parts.JaegerSpan) bool { return x.ID == lines[0].SpanID }) != told {
			s.t.Errorf("%s logged %+v of order %s in trace %s", name, lines, v.id, v.trace)
		}
	}
}

func (s *stage) log(name string, want func(*logLine) bool) (all []logLine) {
	s.t.Helper()
	file, err := os.Open(s.role(name).Log)
	if err != nil {
		s.t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var l logLine
		if err := json.NewDecoder(strings.NewReader(lines.Text())).Decode(&l); err == nil && want(&l) { // the last one of a killed process may be cut off
			all = append(all, l)
		}
	}
	if err := lines.Err(); err != nil {
		s.t.Fatal(err)
	}
	return all
}
