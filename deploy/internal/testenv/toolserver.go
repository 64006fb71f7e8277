package testenv

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// toolServers is the folder with the servers of tools (MCP) that people use, as npm
// installs them.
func toolServers(ctx context.Context) (string, error) {
	root, err := Root(ctx)
	if err != nil {
		return "", err
	}
	at := filepath.Join(root, "deploy", "test", "e2e", "mcp", "node_modules", "@modelcontextprotocol")
	if _, err := os.Stat(at); err != nil {
		return "", errors.New("the servers of tools are not installed\nNext: npm ci in deploy/test/e2e/mcp")
	}
	return at, nil
}

// StartToolServer starts the server of tools that has one of everything, over HTTP, and
// returns where it listens. Kill ends it.
func StartToolServer(ctx context.Context, home string) (p *Process, address string, err error) {
	servers, err := toolServers(ctx)
	if err != nil {
		return nil, "", err
	}
	node, err := exec.LookPath("node")
	if err != nil {
		return nil, "", err
	}
	if address, err = FreeAddr(); err != nil {
		return nil, "", err
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, "", err
	}
	p, err = Start(node, home, map[string]string{"PATH": os.Getenv("PATH"), "HOME": home, "PORT": port}, filepath.Join(servers, "server-everything", "dist", "index.js"), "streamableHttp")
	if err != nil {
		return nil, "", err
	}
	late := time.After(30 * time.Second)
	for {
		if conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address); err == nil {
			return p, address, conn.Close()
		}
		select {
		case <-time.After(50 * time.Millisecond):
			continue
		case <-p.Done():
		case <-late:
		case <-ctx.Done():
		}
		p.Kill()
		return nil, "", fmt.Errorf("the server of tools does not listen: %s", p.Log())
	}
}
