// Command provider plays a model's provider in a container, for tests of a whole
// deployment.
//
// Owns: nothing.
// Touches: its container's port 8080.
// Never: runs anywhere else.
package main
