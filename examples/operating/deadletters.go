package operating

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/stentgo/stent/core"
)

// AfterTheOutage puts back what failed for the same reason as one dead letter did: five of them first, and the others, ten
// a second, when these have completed.
func AfterTheOutage(ctx context.Context, engine *core.Engine, step string, out io.Writer) error {
	letters, err := engine.DeadLetters(ctx, core.DeadLetterFilter{Step: step, Limit: 1})
	if err != nil || len(letters) == 0 {
		return err
	}
	same := core.DeadLetterFilter{Step: step, Fingerprint: core.Fingerprint(letters[0].Failure)}
	report, err := engine.ReplayAll(ctx, same, core.By("anna"), core.Canary(5), core.Rate(10))
	fmt.Fprintf(out, "%d replayed, %d skipped\n", report.Done, report.Skipped)
	var canary *core.CanaryError
	if errors.As(err, &canary) {
		fmt.Fprintf(out, "%s still fails\n", canary.Canaries[0].Task)
	}
	return err
}
