package pgtest

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// account is the user that a server runs as: nil for whoever runs the tests, another one for root, as whom PostgreSQL
// refuses to run.
type account struct {
	name     string
	uid, gid int
}

// serverAccount is the account for a server that this process starts.
func serverAccount() (*account, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.Atoi(u.Uid)
		gid, err2 := strconv.Atoi(u.Gid)
		if err1 == nil && err2 == nil {
			return &account{name: name, uid: uid, gid: gid}, nil
		}
	}
	return nil, fmt.Errorf("PostgreSQL refuses to run as root, and there is no user postgres or nobody")
}

// mkdirTemp makes a folder that belongs to the account, where the account can reach it.
func (a *account) mkdirTemp(prefix string) (string, error) {
	parents := []string{os.TempDir(), "/tmp", "/var/tmp"}
	i := slices.IndexFunc(parents, a.reaches)
	if i < 0 {
		return "", fmt.Errorf("the user %s cannot reach any of %s", a.name, strings.Join(parents, ", "))
	}
	dir, err := os.MkdirTemp(parents[i], prefix)
	if err != nil || a == nil {
		return dir, err
	}
	return dir, os.Chown(dir, a.uid, a.gid)
}

// reaches tells whether the account may pass through all folders on the way to a path.
func (a *account) reaches(path string) bool {
	if a == nil {
		return true
	}
	for dir := path; ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil || info.Mode().Perm()&0o001 == 0 {
			return false
		}
		if dir == filepath.Dir(dir) {
			return true
		}
	}
}

// environ is this process's environment without what would steer PostgreSQL's programs.
func (a *account) environ() []string {
	env := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "PG") })
	return append(env, "LC_ALL=C")
}
