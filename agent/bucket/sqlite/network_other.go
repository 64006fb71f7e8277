//go:build !linux && !darwin

package sqlite

// networkOf knows no network file systems here.
func networkOf(string) (string, bool) { return "", false }
