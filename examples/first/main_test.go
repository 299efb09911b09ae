package main

import (
	"os"
	"os/exec"
	"testing"
)

// TestMain lets this test's own program be the example: one that ends while its worker is at work, as a killed one does.
func TestMain(m *testing.M) {
	if os.Getenv("STENT_TEST_MAIN") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// The second time, the order is there already: its result is told, and nobody is charged.
func TestAnOrderIsChargedOnce(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, want := range []string{"charging 1999 cents\nreceipt-42\n", "receipt-42\n"} {
		cmd := exec.CommandContext(t.Context(), self)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "STENT_TEST_MAIN=1")
		cmd.Stderr = os.Stderr
		if got, err := cmd.Output(); err != nil || string(got) != want {
			t.Errorf("it printed %q, %v; want %q", got, err, want)
		}
	}
}
