//go:build js && wasm

package main

import (
	"fmt"
	"os"

	"github.com/loongclaw/loongclaw/gateway/edge"
	"github.com/loongclaw/loongclaw/gateway/host/workers"
)

// version is set by wrangler/build.sh: -ldflags "-X main.version=…".
var version = "dev"

func main() { workers.Serve(configure) }

// everywhere is the address of a Worker, for the question whether strangers can
// reach it: they can, so tokens are needed.
const everywhere = "0.0.0.0:443"

// configure makes the core from a Worker's variables and secrets. A Worker has no
// environment of its own, so that they become it.
func configure(vars map[string]string) (workers.Core, error) {
	os.Clearenv()
	for name, value := range vars {
		if err := os.Setenv(name, value); err != nil {
			return nil, fmt.Errorf("the variable %q cannot be read: %w", name, err)
		}
	}
	if err := os.Setenv("LISTEN_ADDR", everywhere); err != nil {
		return nil, err
	}
	contained := vars["AGENT_URL"] == ""
	if contained {
		if err := os.Setenv("AGENT_URL", workers.ContainerAgent); err != nil {
			return nil, err
		}
	}
	c, err := loadConfig(version)
	if err != nil {
		return nil, err
	}
	c.edge.Signer = workers.Signer(c.edge.PassKey)
	c.edge.Spends = true // the user's object remembers
	c.edge.AsksAgent = contained
	return edge.New(c.edge)
}
