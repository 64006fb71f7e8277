// Package metrics is what the two programs count for Prometheus in the same way.
//
// Owns: the registry with what every program has (its runtime, its build, its requests),
// /metrics, the buckets of latencies.
// Touches: memory, and what the Go runtime and /proc say about this process.
// Never: takes a label from what a client may make up: a method that is none of HTTP's
// is "other", a path that is no route's "none". It waits for nobody.
package metrics
