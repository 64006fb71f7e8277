// Command soak kills the agent at random moments, many times, while clients keep
// going, and then holds everything that was acknowledged against what is there:
// nothing lost, nothing doubled, every run finished once, the law of chunks kept
// over every reconnection, every chain whole.
//
// On S3 the network can fail, too (-faults: resets, latency, half-closed connections,
// cut answers, SlowDown), and two agents can share the store, one of them cut off from
// it for longer than its lease.
//
//	go run ./cmd/soak -rounds 1000 -store s3 -faults
//
// Owns: the clients, what they note, the faults that are injected, the audit at the end.
// Touches: the programs through deploy/internal/testenv, a fake provider of a model,
// loopback, a folder of its own.
// Never: imports the gateway or the agent.
package main
