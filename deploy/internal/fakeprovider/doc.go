// Package fakeprovider plays a model's provider: an HTTP server that speaks the OpenAI
// stream and does what the user's message tells it to, faults included.
// What the real ones refuse it refuses, too. It records what it was asked and whether the
// asker went away.
//
// Owns: the script that a message carries, the stream, the record.
// Touches: one listener on the loopback address.
// Never: imports the agent. It knows providers, not us.
package fakeprovider
