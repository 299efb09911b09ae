package core

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestParseDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"90s": 90 * time.Second, "1.5h": 90 * time.Minute, "2d": 48 * time.Hour, "1w": 168 * time.Hour,
		"1h30m": 90 * time.Minute, "45": 45 * time.Second, " 0.5 ": 500 * time.Millisecond, "0": 0,
	} {
		if got, err := ParseDuration(text); err != nil || got != want {
			t.Errorf("%q: %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "d", "two days", "-1s", "-2d", "1y", "NaN", "Inf", "1e300d", "9999999999h"} {
		if got, err := ParseDuration(text); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%q", text)) {
			t.Errorf("%q: %v, %v; want an error that names it", text, got, err)
		}
	}
}

func TestNewIDIsAUUIDOfVersion7ThatSortsByTime(t *testing.T) {
	at := time.UnixMilli(0x0123456789AB)
	id := newID(at)
	if len(id) != 36 || !strings.HasPrefix(id, "01234567-89ab-7") || !strings.ContainsRune("89ab", rune(id[19])) {
		t.Errorf("id %s", id)
	}
	if later := newID(at.Add(time.Millisecond)); later <= id {
		t.Errorf("%s is not after %s", later, id)
	}
	if newID(at) == id {
		t.Error("the same id twice")
	}
}

func TestBadNamesAreNamed(t *testing.T) {
	for _, name := range []string{"", " x", "x ", "a\nb", "a\x00b", "\xff", strings.Repeat("x", 256)} {
		if err := checkName("queue", name); err == nil || !strings.HasPrefix(err.Error(), "queue") {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{"a", "billing:charge|v2 x", "größe", strings.Repeat("x", 255)} {
		if err := checkName("queue", name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestFailuresKeepTypeCodeAndCause(t *testing.T) {
	wrapped := fmt.Errorf("outer: %w", &codedError{CodePayload, errors.New("inner")})
	if f := failureOf(wrapped); f.Code != CodePayload || f.Message != "outer: inner" || f.Type != "*errors.errorString" {
		t.Errorf("%+v", f)
	}
	f := failureOf(fmt.Errorf("pay: %w", &timeoutError{}))
	if f.Type != "*core.timeoutError" || reasonOf(f) != "*core.timeoutError: pay: too slow, try later" {
		t.Errorf("%+v, reason %q", f, reasonOf(f))
	}
	if r := reasonOf(failureOf(errors.New("line one\nline two"))); r != "line one line two" {
		t.Errorf("reason %q", r)
	}
}

type timeoutError struct{}

func (*timeoutError) Error() string { return "too slow,\ttry later" }
