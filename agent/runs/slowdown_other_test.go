//go:build !linux

package runs_test

import "testing"

// slowdown is not known here: a busy machine may fail a budget.
func slowdown(*testing.T) float64 { return 1 }
