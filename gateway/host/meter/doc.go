// Package meter counts what the native gateway does, for Prometheus.
//
// Owns: the names, labels and buckets of the gateway's metrics; /metrics.
// Touches: memory, and what the Go runtime and /proc say about this process.
// Never: takes a label from what a client may make up: routes are templates,
// methods are those of HTTP, agents those of the configuration. It waits for nobody.
package meter
