package cli

import (
	"testing"
	"time"
)

func TestPayload(t *testing.T) {
	for _, c := range []struct{ stored, want string }{
		{`{"order_id":"ORD-123","status":"completed"}`, `{"order_id": "ORD-123", "status": "completed"}`},
		{"{ \"a\" : [ 1 ,2, {} ],\n \"b\":null}", `{"a": [1, 2, {}], "b": null}`},
		{`"a:b,c"`, `"a:b,c"`},
		{`"quote \" and \\"`, `"quote \" and \\"`},
		{`"\u003cb\u003e \u0026 \u00e9"`, `"<b> & \u00e9"`},
		{`"\\u003c"`, `"\\u003c"`},
		{`12345678901234567890.10`, `12345678901234567890.10`},
		{`true`, `true`},
		{`null`, `null`},
		{`[]`, `[]`},
		{"plain\ttext", `plain\ttext`},
		{"\xff\x00\x01", "(3 bytes that are not JSON)"},
	} {
		if got := payload([]byte(c.stored)); got != c.want {
			t.Errorf("payload(%q) is %q, want %q", c.stored, got, c.want)
		}
	}
}

func TestCustom(t *testing.T) {
	for _, c := range []struct{ stored, want string }{
		{`"completed"`, "completed"},
		{`"two\nlines"`, `two\nlines`},
		{`{"a":1}`, `{"a": 1}`},
		{`null`, `null`},
		{`3`, `3`},
	} {
		if got := custom([]byte(c.stored)); got != c.want {
			t.Errorf("custom(%s) is %q, want %q", c.stored, got, c.want)
		}
	}
}

func TestNumber(t *testing.T) {
	for f, want := range map[float64]string{42: "42", 0: "0", -3: "-3", 0.5: "0.5", 1e15: "1000000000000000", 2.25: "2.25"} {
		if got := number(f); got != want {
			t.Errorf("number(%v) is %s, want %s", f, got, want)
		}
	}
}

func TestAge(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0s", 900 * time.Millisecond: "0s", 59 * time.Second: "59s", 61 * time.Second: "1m01s",
		time.Hour: "1h00m", 25*time.Hour + 59*time.Minute: "1d01h",
	} {
		if got := age(d); got != want {
			t.Errorf("age(%v) is %s, want %s", d, got, want)
		}
	}
}

func TestClean(t *testing.T) {
	for s, want := range map[string]string{
		"fine é 世界":           "fine é 世界",
		"\x1b[2Jgone":         `\x1b[2Jgone`,
		"a\rb":                `a\rb`,
		"left\u202eright":     `left\u202eright`,
		"not \xff UTF-8":      "not \ufffd UTF-8",
		"c1 \u0085 next line": `c1 \u0085 next line`,
	} {
		if got := clean(s); got != want {
			t.Errorf("clean(%q) is %q, want %q", s, got, want)
		}
	}
}

func TestLines(t *testing.T) {
	if got, want := lines("one\r\ntwo\x1b\n"), "one\n  two\\x1b"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSince(t *testing.T) {
	now := time.Date(2024, 1, 15, 12, 0, 0, 0, time.UTC)
	zone := time.FixedZone("somewhere", 3600)
	for text, want := range map[string]string{
		"":                     "0001-01-01T00:00:00Z",
		"90s":                  "2024-01-15T11:58:30Z",
		"1.5h":                 "2024-01-15T10:30:00Z",
		"2d":                   "2024-01-13T12:00:00Z",
		"2024-01-15":           "2024-01-14T23:00:00Z",
		"2024-01-15T10:30:00":  "2024-01-15T09:30:00Z",
		"2024-01-15 10:30:00":  "2024-01-15T09:30:00Z",
		"2024-01-15T10:30":     "2024-01-15T09:30:00Z",
		"2024-01-15T10:30:00Z": "2024-01-15T10:30:00Z",
	} {
		got, err := since(text, now, zone)
		if err != nil || got.UTC().Format(time.RFC3339) != want {
			t.Errorf("since(%q) is %v, %v; want %s", text, got.UTC(), err, want)
		}
	}
}
