//go:build !linux

package main

// harden does nothing where the system has no such setting.
func harden() error { return nil }

// confine takes nothing: other systems have no such capabilities.
func confine() {}
