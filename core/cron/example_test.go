package cron_test

import (
	"fmt"
	"log"
	"time"

	"github.com/stentgo/stent/core/cron"
)

func ExampleParse() {
	nightly, err := cron.Parse("30 2 * * mon-fri", "UTC")
	if err != nil {
		log.Fatal(err)
	}
	friday := time.Date(2026, time.November, 27, 12, 0, 0, 0, time.UTC)
	fmt.Println(nightly.Next(friday))
	// Output: 2026-11-30 02:30:00 +0000 UTC
}
