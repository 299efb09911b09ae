package pgtest

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// TestServerDiesWithAKilledProcess runs itself as another process, which starts a server and is killed.
func TestServerDiesWithAKilledProcess(t *testing.T) {
	const variable = "STENT_TEST_VICTIM"
	if os.Getenv(variable) != "" {
		fmt.Fprintln(os.Stdout, NewServer(t).DSN())
		select {}
	}

	victim := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	victim.Env = append(os.Environ(), variable+"=1")
	stdout, err := victim.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	dsn, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil || !strings.HasPrefix(dsn, "postgres://") {
		t.Fatalf("the process says %q, %v", dsn, err)
	}
	conn, err := pgx.Connect(t.Context(), strings.TrimSpace(dsn))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())

	if err := victim.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = victim.Wait()
	if err := conn.PgConn().Conn().SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	_, err = conn.WaitForNotification(t.Context()) // nobody notifies: it returns when the server is gone
	if err == nil || strings.Contains(err.Error(), "timeout") {
		t.Errorf("got %v, want the end of the connection", err)
	}
}
