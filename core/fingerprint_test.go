package core

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/stentgo/stent/core/backend"
)

func TestTemplateTakesNumbersAndIDsOut(t *testing.T) {
	for _, c := range []struct{ message, want string }{
		{"connection refused", "connection refused"},
		{"dial tcp 10.0.0.17:5432: connect: connection refused", "dial tcp # connect: connection refused"},
		{"order 42 not found", "order # not found"},
		{"order order-42 not found", "order # not found"},
		{`order "A17" not found`, `order "#" not found`},
		{`relation "orders" does not exist`, `relation "orders" does not exist`},
		{"no user 550e8400-e29b-41d4-a716-446655440000", "no user #"},
		{"at 2024-01-15T10:30:05Z: gone", "at # gone"},
		{"at 2024-01-15 10:30:05: gone", "at # gone"},
		{"ids 1, 2, 3 are locked", "ids # are locked"},
		{"ids 1 are locked", "ids # are locked"},
		{"timeout after 30s (attempt 3)", "timeout after # (attempt #)"},
		{"GET https://api.example.com/orders/17?x=1: status 503", "GET https://api.example.com/orders/#?x=# status 503"},
		{"unexpected status code 404", "unexpected status code 404"},
		{"HTTP 503: 17 in the queue", "HTTP 503 # in the queue"},
		{"ERROR: deadlock detected (SQLSTATE 40P01)", "ERROR: deadlock detected (SQLSTATE 40P01)"},
		{"exit status 1", "exit status 1"},
		{"mail to max7@example.com bounced", "mail to # bounced"},
		{"line one\nline\ttwo", "line one line two"},
		{"größe 5 zu groß", "größe # zu groß"},
		{"", ""},
		{"7", "#"},
		{"\xff 7 \xfe", "\xff # \xfe"},
	} {
		if got := template(c.message); got != c.want {
			t.Errorf("template(%q) = %q, want %q", c.message, got, c.want)
		}
	}
}

func TestFailuresOfOneReasonHaveOneFingerprint(t *testing.T) {
	fingerprint := func(err error) string { return Fingerprint(failureOf(err)) }
	if a, b := fingerprint(errors.New("order 1 not found")), fingerprint(errors.New("order 22 not found")); a != b {
		t.Errorf("ids make a difference: %s, %s", a, b)
	}
	if a, b := fingerprint(errors.New("status 503")), fingerprint(errors.New("status 404")); a == b {
		t.Error("statuses make no difference")
	}
	if a, b := fingerprint(errors.New("no")), fingerprint(&PanicError{Value: "no"}); a == b {
		t.Error("an error and a panic are alike")
	}
	long := strings.Repeat("x ", 10_000)
	if a, b := fingerprint(errors.New("id 7 "+long)), fingerprint(errors.New("id 1234567890 "+long+"tail")); a != b {
		t.Error("what is cut off makes a difference")
	}
	if got := fingerprint(errors.New("x")); !regexp.MustCompile(`^[0-9a-f]{12}$`).MatchString(got) {
		t.Errorf("%q is not 12 hexadecimal digits", got)
	}
	if got := Fingerprint(backend.Failure{Message: "order 1 not found", Type: "*errors.errorString"}); got != "d40b3e6bac09" {
		t.Errorf("the fingerprint of a known failure has changed to %s: say so in the changelog", got)
	}
}

func TestPanicsInDifferentFunctionsHaveDifferentFingerprints(t *testing.T) {
	caught := func(fn func()) (f backend.Failure) {
		defer func() { f = failureOf(recovered(recover())) }()
		fn()
		return f
	}
	a, again, b := caught(indexA), caught(indexA), caught(indexB)
	if !strings.HasSuffix(panickedIn(a.Stack), "core.indexA") || !strings.HasSuffix(panickedIn(b.Stack), "core.indexB") {
		t.Errorf("panicked in %q and %q", panickedIn(a.Stack), panickedIn(b.Stack))
	}
	if Fingerprint(a) != Fingerprint(again) || Fingerprint(a) == Fingerprint(b) {
		t.Errorf("fingerprints %s, %s, %s", Fingerprint(a), Fingerprint(again), Fingerprint(b))
	}
}

//go:noinline
func indexA() { _ = []int{1}[beyond()] }

//go:noinline
func indexB() { _ = []int{1}[beyond()] }

//go:noinline
func beyond() int { return 5 }
