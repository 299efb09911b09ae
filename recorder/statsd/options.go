package statsd

import (
	"fmt"
	"net"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/cactus/go-statsd-client/v5/statsd"

	"github.com/stentgo/stent/metrics"
	"github.com/stentgo/stent/recorder/budget"
)

// DefaultPrefix stands in front of every path.
const DefaultPrefix = "stent"

// Option is an option of [New].
type Option func(*settings) error

type settings struct {
	prefix   string
	tags     statsd.TagFormat // 0: none
	rate     float32
	budget   int
	resolve  time.Duration
	interval time.Duration
}

var validPrefix = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)

// WithPrefix sets what stands in front of every path. Default "stent".
func WithPrefix(prefix string) Option {
	return func(s *settings) error {
		if !validPrefix.MatchString(prefix) {
			return fmt.Errorf("prefix %q: want letters, digits, - and _, with single dots between", prefix)
		}
		s.prefix = prefix
		return nil
	}
}

// TagFormat is how tags are written.
type TagFormat string

// The formats of tags.
const (
	DogStatsD TagFormat = "dogstatsd" // name:1|c|#queue:default,step:charge
	Influx    TagFormat = "influx"    // name,queue=default,step=charge:1|c
)

// WithTags sends labels as tags instead of as levels of the path: stent.tasks.completed with queue, step and kind.
// Default none.
func WithTags(format TagFormat) Option {
	return func(s *settings) error {
		switch format {
		case DogStatsD:
			s.tags = statsd.SuffixOctothorpe
		case Influx:
			s.tags = statsd.InfixComma
		default:
			return fmt.Errorf("tag format %q: want %s or %s", format, DogStatsD, Influx)
		}
		return nil
	}
}

// WithSamplingRate sends only this share of the timings, and tells the server so that it can make up for it. Counts are
// summed before they are sent, and always right. Default 1: all.
func WithSamplingRate(rate float64) Option {
	return func(s *settings) error {
		if !(rate > 0 && rate <= 1) {
			return fmt.Errorf("sampling rate %v: want above 0, and at most 1", rate)
		}
		s.rate = float32(rate)
		return nil
	}
}

// WithResolveInterval sets how often the server's host name is looked up again. Default 1 min.
func WithResolveInterval(d time.Duration) Option {
	return func(s *settings) error {
		if d <= 0 {
			return fmt.Errorf("resolve interval %v: want more than 0", d)
		}
		s.resolve = d
		return nil
	}
}

// WithBudget sets how many values of each of the labels queue, step and workflow are kept apart; the rest are counted as
// "other". Default 0: 200.
func WithBudget(values int) Option {
	return func(s *settings) error {
		s.budget = values
		return nil
	}
}

// New makes a recorder that sends to a server, named as host:port. An address that does not resolve, and an option that
// makes no sense, are errors; a server that does not answer is none. Close it after its engines have ended.
func New(address string, opts ...Option) (*Recorder, error) {
	s := settings{prefix: DefaultPrefix, rate: 1, resolve: time.Minute, interval: 300 * time.Millisecond}
	for _, opt := range opts {
		if err := opt(&s); err != nil {
			return nil, fmt.Errorf("statsd recorder: %w", err)
		}
	}
	values, err := budget.New(s.budget)
	if err != nil {
		return nil, fmt.Errorf("statsd recorder: %w", err)
	}
	sender, err := dial(address, s.resolve, s.interval)
	if err != nil {
		return nil, fmt.Errorf("statsd recorder: server %q: %w", address, err)
	}
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "unknown"
	}
	return newRecorder(sender, paths{settings: s, host: host}, values), nil
}

func dial(address string, resolve, interval time.Duration) (statsd.Sender, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if host == "" || port == "" {
		return nil, fmt.Errorf("want host:port")
	}
	var sender statsd.Sender
	if net.ParseIP(host) != nil {
		sender, err = statsd.NewSimpleSender(address)
	} else {
		sender, err = statsd.NewResolvingSimpleSender(address, resolve)
	}
	if err != nil {
		return nil, err
	}
	return statsd.NewBufferedSenderWithSender(sender, interval, packetSize(host))
}

// packetSize is the most bytes of a packet to a host: what fits into one of any network, and on the way to the same machine, which has
// no such limit, what servers read. To send a packet of 1,432 bytes costs as much as to write its lines.
func packetSize(host string) int {
	const (
		ofNetworks = 1432
		ofServers  = 4000 // collectd reads 4,095 and loses the rest, the Datadog agent 8,192 by default, statsd_exporter and Telegraf all
	)
	if at, err := net.ResolveIPAddr("ip", host); err == nil && at.IP.IsLoopback() {
		return ofServers
	}
	return ofNetworks
}

// stat is a metric with its labels' values, as it is written before and behind a number.
type stat struct {
	head, tail string
}

// paths writes names.
type paths struct {
	settings
	host string
}

// of is the stat of a metric for its labels' values, which are made harmless.
func (p paths) of(m metrics.Metric, values ...string) *stat {
	template := ""
	for _, path := range m.StatsD {
		if path.Label == "" || values[indexOf(m.Labels, path.Label)] == path.Value {
			template = path.Template
			break
		}
	}
	harmless := make([]string, len(values))
	for i, v := range values {
		harmless[i] = Sanitize(v)
	}
	if p.tags == 0 {
		for i, label := range m.Labels {
			template = strings.ReplaceAll(template, "{"+label+"}", harmless[i])
		}
		return p.stat(template, nil)
	}
	for _, label := range m.Labels {
		template = strings.ReplaceAll(template, ".{"+label+"}", "")
	}
	tags := make([]statsd.Tag, len(values))
	for i, label := range m.Labels {
		tags[i] = statsd.Tag{label, harmless[i]}
	}
	return p.stat(template, tags)
}

func (p paths) stat(template string, tags []statsd.Tag) *stat {
	head := []byte(p.prefix + "." + strings.ReplaceAll(template, "{host}", Sanitize(p.host)))
	var tail []byte
	if len(tags) > 0 {
		if p.tags&statsd.AllInfix != 0 {
			head = p.tags.WriteInfix(head, tags)
		} else {
			tail = p.tags.WriteSuffix(nil, tags)
		}
	}
	return &stat{head: string(head) + ":", tail: string(tail)}
}

func indexOf(list []string, value string) int {
	for i, v := range list {
		if v == value {
			return i
		}
	}
	return -1
}

// Sanitize makes a name fit to be one level of a path or the value of a tag: all but letters, digits, - and _ becomes _.
// Letters of any script are kept. An empty name becomes "_".
func Sanitize(name string) string {
	if name == "" {
		return "_"
	}
	return strings.Map(func(r rune) rune {
		if harmless(r) {
			return r
		}
		return '_'
	}, name)
}
