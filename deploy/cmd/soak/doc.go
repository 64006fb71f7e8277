// Command soak kills the agent at random moments, many times, while clients keep
// going, and then holds everything that was acknowledged against what is there:
// nothing lost, nothing doubled, every run finished once, the law of chunks kept
// over every reconnection, every chain whole.
//
// On S3 the weather can be bad, too (resets, latency, half-closed connections,
// cut answers, SlowDown), and two agents can share the store, one of them cut
// off from it for longer than a heartbeat lives.
//
//	go run ./soak -rounds 1000 -store s3 -weather
//
// Owns: the players, what they note, the weather, the audit.
// Touches: the programs through deploy/internal/testenv, a model's stand-in, loopback, a
// folder of its own.
// Never: imports the gateway or the agent.
package main
