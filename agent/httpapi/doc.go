// Package httpapi is the agent's HTTP surface: JSON in, JSON and event streams
// out.
//
// Owns: the routes (echo), the reading of requests, the form of answers.
// Touches: packages runs, users, memory and files, for the user that the pass
// names.
// Never: decides anything. It trusts nothing but a valid pass.
package httpapi
