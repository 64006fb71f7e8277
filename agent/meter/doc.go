// Package meter counts what the agent does, for Prometheus.
//
// Owns: the names, labels and buckets of the agent's metrics; /metrics; the
// decorators of bucket, model and log handler by which it hears of them.
// Touches: memory, and what the Go runtime and /proc say about this process.
// Never: takes a label from what a user or a model may make up: no user, no
// session, no path, no tool that there is not. It waits for nobody and changes no
// answer.
package meter
