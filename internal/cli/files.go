package cli

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// writeFiles writes files into a folder and tells which. A file that is as it should be is left alone.
func (a *app) writeFiles(folder string, files map[string][]byte) error {
	if folder == "" {
		return usagef("--out: want the folder to write to, as in --out .")
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		path, did := filepath.Join(folder, name), "wrote"
		if before, err := os.ReadFile(path); err == nil && bytes.Equal(before, files[name]) {
			did = "as before:"
		} else if err := os.WriteFile(path, files[name], 0o644); err != nil {
			return err
		}
		a.screen.printf("%s %s\n", did, path)
	}
	return nil
}

// keepFlag is a list of labels; none is an empty one, and no flag is the default.
type keepFlag struct{ list []string }

var labelName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

func (k *keepFlag) String() string { return strings.Join(k.list, ",") }
func (k *keepFlag) Type() string   { return "labels" }
func (k *keepFlag) Set(s string) error {
	k.list = []string{}
	if s == "none" || s == "" {
		return nil
	}
	for word := range strings.SplitSeq(s, ",") {
		word = strings.TrimSpace(word)
		if !labelName.MatchString(word) {
			return usagef("%q is no label: want names such as namespace, separated by commas, or none", word)
		}
		k.list = append(k.list, word)
	}
	return nil
}

func (k *keepFlag) labels() []string { return k.list }
