// Package agent is the root of the agent's module. It has no code: the program is in cmd/agent,
// and the test beside this file holds which package may import which.
package agent
