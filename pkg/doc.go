// Package pkg is the root of the module of what both programs share. It has no code: the test
// beside this file holds what its packages may import.
package pkg
