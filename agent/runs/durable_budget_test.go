//go:build !race

package runs_test

import "time"

// openBudget is how long the opening of a long session may take.
const openBudget = time.Second
