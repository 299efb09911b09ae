package statsd_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stentgo/stent/recorder/statsd"
)

// Whatever a queue or a step is called, its name cannot end a path, a tag or a line.
func FuzzSanitize(f *testing.F) {
	for _, s := range []string{"", "orders", "a.b", "a:b|c@d#e", "a\nb:1|c", "ä", "\xff\xfe", "a b\t", "１", "../..", "a,b=c", strings.Repeat("x", 1000)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		got := statsd.Sanitize(name)
		if got == "" || !utf8.ValidString(got) || strings.ContainsAny(got, ".:|@#,;= \t\n\r\x00") {
			t.Errorf("%q became %q", name, got)
		}
		if again := statsd.Sanitize(got); again != got {
			t.Errorf("%q became %q, and that %q", name, got, again)
		}
	})
}
