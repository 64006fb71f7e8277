package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// environment is what both programs start with.
type environment map[string]string

func environ() environment {
	e := environment{}
	for _, kv := range os.Environ() {
		k, v, _ := strings.Cut(kv, "=")
		e[k] = v
	}
	return e
}

func (e environment) list() []string {
	out := make([]string, 0, len(e))
	for _, k := range slices.Sorted(maps.Keys(e)) {
		out = append(out, k+"="+e[k])
	}
	return out
}

var assignment = regexp.MustCompile(`^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*$`)

// readDotEnv takes what a file sets and the environment does not: users of the
// original have their key in such a file. Nothing in it is ever run.
func (e environment) readDotEnv(name string) error {
	f, err := os.Open(name) //nolint:gosec // .env, or a file of our own
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // only read from
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		m := assignment.FindStringSubmatch(lines.Text())
		if m == nil {
			continue
		}
		value := m[2]
		if n := len(value); n >= 2 && (value[0] == '"' || value[0] == '\'') && value[n-1] == value[0] {
			value = value[1 : n-1]
		} else if i := strings.Index(value, " #"); i >= 0 {
			value = strings.TrimSpace(value[:i])
		}
		if _, set := e[m[1]]; !set && value != "" {
			e[m[1]] = value
		}
	}
	return lines.Err()
}

func (e environment) set(name, value string) {
	if e[name] == "" {
		e[name] = value
	}
}

func (e environment) defaults() {
	host, port := "127.0.0.1", "8787"
	if e["HOST"] != "" {
		host = e["HOST"]
	}
	if e["PORT"] != "" {
		port = e["PORT"]
	}
	e.set("LISTEN_ADDR", net.JoinHostPort(host, port))
	e.set("AGENT_LISTEN_ADDR", "127.0.0.1:8788")
	e.set("AGENT_URL", "http://"+e["AGENT_LISTEN_ADDR"])
	e.set("LOG_FORMAT", "text")
}

// file keeps what was made for this address.
func (e environment) file() string {
	return filepath.Join(".run", strings.NewReplacer(":", "-", "/", "-", "[", "", "]", "").Replace(e["LISTEN_ADDR"])+".env")
}

// secrets sets the pass's key pair, a token and a login code where they are not
// set. The pair and the token are kept, the code is new at each start. made
// says that the token is ours.
func (e environment) secrets(ctx context.Context) (made bool, err error) {
	own := environment{}
	if err := own.readDotEnv(e.file()); err != nil {
		return false, err
	}
	if own["PASS_PRIVATE_KEY"] == "" || own["LOONGCLAW_TOKENS"] == "" {
		if err := own.make(ctx); err != nil {
			return false, err
		}
		if err := own.keep(e.file()); err != nil {
			return false, err
		}
	}
	if e["PASS_PRIVATE_KEY"] == "" && e["PASS_PUBLIC_KEYS"] == "" {
		e["PASS_PRIVATE_KEY"], e["PASS_PUBLIC_KEYS"] = own["PASS_PRIVATE_KEY"], own["PASS_PUBLIC_KEYS"]
	}
	if made = e["LOONGCLAW_TOKENS"] == ""; made {
		e["LOONGCLAW_TOKENS"] = own["LOONGCLAW_TOKENS"]
	}
	if e["LOONGCLAW_LOGIN_CODE"] == "" {
		if e["LOONGCLAW_LOGIN_CODE"], err = output(ctx, "token"); err != nil {
			return made, err
		}
	}
	return made, nil
}

func (e environment) make(ctx context.Context) error {
	pair, err := output(ctx, "keygen")
	if err != nil {
		return err
	}
	for line := range strings.Lines(pair) {
		if m := assignment.FindStringSubmatch(strings.TrimRight(line, "\n")); m != nil {
			e[m[1]] = m[2]
		}
	}
	token, err := output(ctx, "token")
	e["LOONGCLAW_TOKENS"] = "me:" + token
	return err
}

func (e environment) keep(name string) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	return os.WriteFile(name, []byte(strings.Join(e.list(), "\n")+"\n"), 0o600)
}

// output runs a command of the gateway.
func output(ctx context.Context, command string) (string, error) {
	b, err := exec.CommandContext(ctx, filepath.Join("bin", "gateway"), command).Output() //nolint:gosec // a fixed name
	if err != nil {
		return "", fmt.Errorf("bin/gateway %s: %w\nNext: make build", command, err)
	}
	return strings.TrimSpace(string(b)), nil
}
