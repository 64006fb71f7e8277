//go:build !linux && !darwin

package main

// networkOf knows no network file systems here.
func networkOf(string) (string, bool) { return "", false }
