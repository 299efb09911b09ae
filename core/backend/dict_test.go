package backend_test

import (
	"encoding/json"
	"maps"
	"testing"

	"github.com/stentgo/stent/core/backend"
)

// What is stored is JSON, whoever wrote it and whoever reads it.
func FuzzDict(f *testing.F) {
	for _, text := range []string{
		`{}`, `{"a":"b"}`, `{"a":"b","c":""}`, `{"":""}`, `{ "a" : "b" }`, `{"a":"b",}`, `{"a":"b"}{"c":"d"}`, `{"a\"":"\u00e9"}`,
		`{"é":"<&>"}`, `{"a":1}`, `{"a":null}`, `null`, `{"a":"b","a":"c"}`, "{\"a\":\"\x01\"}", "{\"a\":\"\xff\"}", `{"a":"b"`, `{"a`, ``, `[]`,
		`{"traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00","stent-span":"361d6d056b005c2e"}`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var want map[string]string
		wrong := json.Unmarshal([]byte(text), &want)
		got, err := backend.DecodeDict(text)
		if (err == nil) != (wrong == nil) || err == nil && !maps.Equal(got, want) {
			t.Fatalf("%q is read as %v, %v; want %v, %v", text, got, err, want, wrong)
		}
		var again map[string]string
		if err := json.Unmarshal([]byte(backend.EncodeDict(want)), &again); err != nil || !maps.Equal(again, want) {
			t.Errorf("%v is written as %s", want, backend.EncodeDict(want))
		}
	})
}
