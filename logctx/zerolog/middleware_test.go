package zerolog_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/stenttest"
	stentzerolog "github.com/stentgo/stent/logctx/zerolog"
)

var (
	greet     = core.NewActivity[string, string]("greet")
	greetings = core.NewWorkflow[string, string]("greetings")
)

// Every activity and workflow has a context with the logger, and none does anything for it. What a workflow says while it
// runs again is dropped.
func TestLogCtxWorksInEveryTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		logger := zerolog.New(zerolog.SyncWriter(&out)).Hook(stentzerolog.NewHook())
		runs := 0
		env := stenttest.New(t,
			greet.Handle(func(ctx context.Context, name string) (string, error) {
				zerolog.Ctx(ctx).Info().Msg("greeting")
				return "hello " + name, nil
			}),
			greetings.Handle(func(flow *core.Flow, name string) (string, error) {
				runs++
				zerolog.Ctx(flow.Context()).Info().Msg("a guest")
				if err := flow.Sleep(24 * time.Hour); err != nil {
					return "", err
				}
				zerolog.Ctx(flow.Context()).Info().Msg("a day later")
				return greet.Call(flow, name)
			}))
		env.Configure(1, core.WorkerConfig{}, core.WithMiddleware(stentzerolog.Middleware(logger)))
		if _, err := stenttest.Run(env, greetings, "Ann", core.ID("g")); err != nil {
			t.Fatal(err)
		}
		env.Stop()
		if runs < 2 {
			t.Fatalf("the workflow ran %d times: this shows nothing of replays", runs)
		}
		var got []string
		for decoder := json.NewDecoder(&out); decoder.More(); {
			var line struct {
				Message string `json:"message"`
				Task    string `json:"stent_task_id"`
			}
			if err := decoder.Decode(&line); err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprint(line.Task, " ", line.Message))
		}
		if want := []string{"g.0 a guest", "g.0 a day later", "g.2 greeting"}; !slices.Equal(got, want) {
			t.Errorf("log %q, want %q", got, want)
		}
	})
}
