package stent_test

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/internal/pgtest"
)

// password holds characters that are encoded in a URL and quoted in keywords and values.
const password = "hunter2 /@#%'x"

// Whatever goes wrong between a program and its server, the password of its DSN is in no error, in no line of the log at any level
// and not on the page of metrics.
func TestNobodyIsToldThePasswordOfTheDatabase(t *testing.T) {
	t.Parallel()
	server := pgtest.NewServer(t) // it lets everybody in
	forms := map[string]func(u *url.URL) string{
		"url": func(u *url.URL) string {
			u.User = url.UserPassword(u.User.Username(), password)
			return u.String()
		},
		"keywords": func(u *url.URL) string {
			return fmt.Sprintf("host=%s port=%s user=%s dbname=%s sslmode=disable password='%s'", u.Hostname(), u.Port(), u.User.Username(),
				strings.TrimPrefix(u.Path, "/"), strings.ReplaceAll(password, "'", `\'`))
		},
	}
	for form, dsn := range forms {
		role := "secret_" + form
		w := databaseOf(t, server, role, "")
		plain := w.address
		u, err := url.Parse(plain)
		if err != nil {
			t.Fatal(err)
		}
		w.address = dsn(u)
		tellsNoPassword(t, refusals(w, server, role), form+": an error at the opening")

		p := w.parcels(steady)
		p.log.debug.Store(true)
		execute(t, server.DSN(), "ALTER ROLE "+role+" CONNECTION LIMIT 0", sessionsEnd(role))
		var said error
		w.eventually("the engine is told", func() bool {
			_, said = consignment.Start(w.ctx(), p.Engine, nil, core.ID("refused"))
			return backend.FaultOf(said) == backend.FaultConnections && p.page.errors(backend.FaultConnections) > 3
		})
		execute(t, server.DSN(), "ALTER ROLE "+role+" CONNECTION LIMIT -1")
		p.stop()
		tellsNoPassword(t, said, form+": the error of a start")
		tellsNoPassword(t, errors.New(string(get(t, p.page.url))), form+": the page of metrics")
		if p.log.count("level=") < 4 {
			t.Errorf("%s: the log has %d lines", form, p.log.count("level="))
		}
		tellsNoPassword(t, errors.New(strings.Join(p.log.lines, "")), form+": the log")
	}
}

// refusals are what a program is told that cannot migrate, cannot connect, and whose DSN cannot be read.
func refusals(w *world, server *pgtest.Server, role string) error {
	w.Helper()
	var all error
	open := func(what, dsn string) {
		db, err := w.dial(w.ctx(), dsn)
		if err == nil {
			_ = db.Close()
			w.Errorf("%s: opened", what)
		}
		all = errors.Join(all, err)
	}
	execute(w.T, server.DSN(), "ALTER DATABASE "+role+" OWNER TO postgres")
	open("no right to migrate", w.address)
	execute(w.T, server.DSN(), "ALTER DATABASE "+role+" OWNER TO "+role, "ALTER ROLE "+role+" NOLOGIN")
	open("no right to connect", w.address)
	execute(w.T, server.DSN(), "ALTER ROLE "+role+" LOGIN")
	open("no such database", strings.ReplaceAll(w.address, role, "nothing"))
	open("not to be read", w.address+" sslmode=%zz&sslmode=nonsense")
	return all
}

func tellsNoPassword(t *testing.T, text error, what string) {
	t.Helper()
	if text == nil {
		t.Errorf("%s: nothing was said", what)
		return
	}
	for _, part := range []string{"hunter2", url.QueryEscape(password), url.PathEscape(password)} {
		if strings.Contains(text.Error(), part) {
			t.Errorf("%s: the password is in it: %v", what, text)
		}
	}
}
