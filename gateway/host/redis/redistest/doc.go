// Package redistest runs a real redis-server for tests.
//
// Owns: the process, on a socket in a temporary folder.
// Touches: no network.
// Never: installs anything. Without redis-server the test says that it was skipped.
package redistest
