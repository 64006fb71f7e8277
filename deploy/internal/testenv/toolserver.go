package testenv

import (
	"context"
	"errors"
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
	if err := p.listens(ctx, address, 30*time.Second); err != nil {
		p.Kill()
		return nil, "", err
	}
	return p, address, nil
}
