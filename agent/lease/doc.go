// Package lease is who may carry runs out, where several agents share a store.
//
// An agent that carries out a run of a user says every interval that it is alive.
// Its lease on that user's runs ends when it says that it releases them, or when
// it has not been heard of for three intervals; then another agent may claim them.
//
// Owns: the heartbeats of this agent, and the rule by which another one's runs may
// be claimed.
// Touches: the store, through Store.
// Never: knows what a run is.
package lease
