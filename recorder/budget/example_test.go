package budget_test

import (
	"fmt"
	"log"

	"github.com/stentgo/stent/recorder/budget"
)

// The first values that come are kept apart, and what comes after them is one.
func ExampleBudget() {
	b, err := budget.New(2)
	if err != nil {
		log.Fatal(err)
	}
	for _, queue := range []string{"default", "billing", "mail-4711", "billing"} {
		fmt.Println(b.Fold("queue", queue))
	}
	// Output:
	// default
	// billing
	// other
	// billing
}
