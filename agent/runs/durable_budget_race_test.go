//go:build race

package runs_test

import "time"

// openBudget with the race detector, which makes reading some five times slower.
const openBudget = 15 * time.Second
