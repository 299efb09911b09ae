package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheProgram(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "saga.sqlite")
	for _, test := range []struct {
		args []string
		want []string
	}{
		{[]string{"--id", "1"}, []string{"Placing order 1.", "charges 42", "Shipped: T-1", "show order-1"}},
		{[]string{"--id", "1"}, []string{"was placed before", "Shipped: T-1"}},
		{[]string{"--id", "2", "--break", "book_courier"}, []string{"attempt 3: books a courier", "pays 42 back", "releases a blue kettle again", "Not carried out, and undone: book_courier: the service is down", "dlq list"}},
	} {
		var out bytes.Buffer
		if err := run(t.Context(), append([]string{"--db", file}, test.args...), &out); err != nil {
			t.Fatalf("%v: %v\n%s", test.args, err, out.String())
		}
		for _, want := range test.want {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%v: no %q in\n%s", test.args, want, out.String())
			}
		}
	}
}
