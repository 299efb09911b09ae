package postgres

import "testing"

// What is stored of an id or of a key gives back the same text, whatever that is.
func FuzzStoredNames(f *testing.F) {
	for _, s := range []string{"", "order-42", "00000000-0000-0000-0000-000000000000", "0197A0B0-0000-7000-8000-000000000000", "step#1", "#", "##1", "ä#2"} {
		f.Add(s, "step")
		f.Add("step"+s, "step")
	}
	f.Fuzz(func(t *testing.T, text, step string) {
		if got := unpackKey(step, packKey(step, text)); got != text {
			t.Errorf("the key %q of step %q comes back as %q", text, step, got)
		}
		if id, ok := parseUUID(text); ok {
			if again, ok := parseUUID(text); !ok || again != id {
				t.Errorf("%q is two ids", text)
			}
		}
	})
}
