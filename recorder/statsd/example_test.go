package statsd_test

import (
	"fmt"
	"log"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend/memory"
	stentstatsd "github.com/stentgo/stent/recorder/statsd"
)

func Example() {
	recorder, err := stentstatsd.New("127.0.0.1:8125")
	if err != nil {
		log.Fatal(err)
	}
	defer recorder.Close()
	engine, err := core.New(memory.Open(), core.WithMetrics(recorder))
	fmt.Println(engine != nil, err)
	// Output: true <nil>
}
