package main

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/stenttest"
)

func TestTheProgram(t *testing.T) {
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"--rows", "5", "--pace", "1ms"}, "Imported 5 rows.\nThe table has 5 rows.\n"},
		{[]string{"--rows", "1000000", "--cancel-after", "1ms"}, "The import was cancelled.\nThe table has 0 rows.\n"},
	} {
		var out bytes.Buffer
		if err := run(t.Context(), test.args, &out); err != nil || out.String() != test.want {
			t.Errorf("%v: %q, %v", test.args, out.String(), err)
		}
	}
}

func TestACrashGoesOnWhereTheCopyWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tab := &table{pace: time.Second}
		env := stenttest.New(t, tab.handlers()...)
		env.Configure(1, core.WorkerConfig{Lease: 9 * time.Second}) // what was said is written every three
		execution := stenttest.Start(env, Import, Source{Rows: 60})
		env.Advance(20 * time.Second)
		tab.mu.Lock()
		tab.rows = nil // to see which are copied again
		tab.mu.Unlock()
		env.Restart()
		if n, err := stenttest.Wait(env, execution); err != nil || n != 60 {
			t.Errorf("it imported %d, %v", n, err)
		}
		if again := tab.count(); again < 40 || again > 44 {
			t.Errorf("%d rows were copied after the crash", again)
		}
	})
}

func TestACancelledImportLeavesNothingBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tab := &table{pace: time.Second}
		env := stenttest.New(t, tab.handlers()...)
		execution := stenttest.Start(env, Import, Source{Rows: 1000})
		env.Advance(time.Minute)
		if err := stopImport(env.Context(), env.Engine, execution.ID()); err != nil {
			t.Fatal(err)
		}
		_, err := stenttest.Wait(env, execution)
		if ending(0, err) != "The import was cancelled." || tab.count() != 0 {
			t.Errorf("%v, and %d rows are left", err, tab.count())
		}
	})
}

func TestAnImportThatTakesADayTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tab := &table{pace: time.Second}
		env := stenttest.New(t, Import.Handle(func(flow *core.Flow, _ Source) (int, error) { return 0, flow.Sleep(48 * time.Hour) }))
		stenttest.Stub(env, CopyRows, func(context.Context, Source) (int, error) { return 0, errors.New("it is not called") })
		stenttest.Stub(env, TakeAway, tab.takeAway)
		_, err := stenttest.Run(env, Import, Source{})
		if got := ending(0, err); !strings.HasPrefix(got, "The import took too long: max_duration after 24h") {
			t.Errorf("%s", got)
		}
	})
}
