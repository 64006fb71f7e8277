//go:build !linux

package main

import "github.com/loongclaw/loongclaw/agent/tools/shell"

// harden does nothing where the system has no such setting.
func harden() error { return nil }

// shellLimits are the usual ones: other systems have no such capabilities, and no
// process adopts another.
func shellLimits() shell.Limits { return shell.Limits{} }
