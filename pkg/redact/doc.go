// Package redact keeps secrets out of what is written, whoever writes it.
//
// Owns: what stands in a secret's place.
// Touches: the texts that pass through its writer.
// Never: learns a secret by itself, or keeps what it saw.
package redact
