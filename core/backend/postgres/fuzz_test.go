package postgres_test

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/stentgo/stent/core/backend/postgres"
)

// A DSN that cannot be read is an error without any of its secret.
func FuzzDSN(f *testing.F) {
	for _, s := range []string{
		"postgres://ada:%s@127.0.0.1:port/db", "postgres://ada:%s%%zz@127.0.0.1:1/db", "postgres:ada:%s@127.0.0.1/db", "host=%s=x port=1",
		"host=h port=x password=%s", "password='%s", "postgres://h/db?sslmode=x&password=%s", "postgres://h/db?pool_max_conns=x&password=%s",
		"%s://ada@h/db", "postgres://[%s]:1/db", "service=%s", "host=h sslrootcert=%s sslmode=verify-full", "host=h passfile=%s port=y",
	} {
		f.Add(s)
	}
	const secret = "s3cretS3cret"
	f.Fuzz(func(t *testing.T, template string) {
		dsn := strings.Replace(template, "%s", secret, 1)
		if _, err := pgxpool.ParseConfig(dsn); err == nil || len(template) > 500 {
			return // that would connect
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_, err := postgres.Open(ctx, dsn)
		if err == nil {
			t.Fatalf("%q is opened and cannot be read", dsn)
		}
		if strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), url.QueryEscape(secret)) {
			t.Errorf("%q: %v", dsn, err)
		}
	})
}

// A notification may come from anybody who may NOTIFY.
func FuzzNote(f *testing.F) {
	for _, s := range []string{"", "{", "null", `{"queues":["a"]}`, `{"workers":[1,-1,2147483647]}`, `{"workers":[2147483648]}`, `{"all":true}`, `{"from":3}`} {
		f.Add(s, "a")
	}
	f.Fuzz(func(_ *testing.T, payload, queue string) { postgres.NoteIsOf(payload, queue) })
}
