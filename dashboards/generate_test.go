package dashboards_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/stentgo/stent/dashboards"
)

//go:generate go test . -run TestFilesAreWhatTheGeneratorWrites -update

var update = flag.Bool("update", false, "write the files that are generated")

func TestFilesAreWhatTheGeneratorWrites(t *testing.T) {
	all := dashboards.All(dashboards.Options{})
	for name, d := range all {
		if *update {
			if err := os.WriteFile(name, d.JSON(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(name); err != nil || !bytes.Equal(got, d.JSON()) {
			t.Errorf("%s is not what the generator writes: go generate ./dashboards (%v)", name, err)
		}
	}
	files, err := filepath.Glob("*.json")
	if err != nil || len(files) != len(all) {
		t.Errorf("%d files for %d dashboards: %v, %v", len(files), len(all), files, err)
	}
}

func TestGeneratingTwiceGivesTheSameBytes(t *testing.T) {
	for _, o := range []dashboards.Options{{}, {Native: true, Keep: []string{"cluster", "namespace"}, UIDPrefix: "orders-"}} {
		first := dashboards.All(o)
		for name, d := range dashboards.All(o) {
			if !bytes.Equal(d.JSON(), first[name].JSON()) {
				t.Errorf("%s differs", name)
			}
		}
	}
}
