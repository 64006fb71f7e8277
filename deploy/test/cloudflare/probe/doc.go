// Command probe is put into an agent's container, and tries what a hostile
// program there would: to read what it should not, and to reach what it must not.
//
// Owns: that list.
// Touches: files and network of its container.
// Never: runs anywhere else.
package main
