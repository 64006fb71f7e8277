package main

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/loongclaw/loongclaw/gateway/access"
	"github.com/loongclaw/loongclaw/pkg/pass"
)

// listen is the address, and whether only this machine can reach it.
func (env environment) listen() (addr string, loopback bool, err error) {
	addr = env.ListenAddr
	if addr == "" {
		host, port := env.Host, env.Port
		if host == "" {
			host = "127.0.0.1"
		}
		if port == "" {
			port = "8787"
		}
		addr = net.JoinHostPort(strings.Trim(host, "[]"), port)
	}
	host, err := hostOf(addr)
	if err != nil {
		return "", false, fmt.Errorf("%w, such as 127.0.0.1:8787", err)
	}
	return addr, host != "" && access.IsLoopbackHost(host), nil
}

func hostOf(addr string) (string, error) {
	host, port, err := net.SplitHostPort(addr)
	if _, perr := strconv.ParseUint(port, 10, 16); err != nil || perr != nil {
		return "", fmt.Errorf("%q is not an address; write host:port", addr)
	}
	return host, nil
}

// checkAdmin: what is for whoever operates this must not be at the public address.
func checkAdmin(addr, public string) error {
	if addr == "" {
		return nil
	}
	if _, err := hostOf(addr); err != nil {
		return fmt.Errorf("%w, such as 127.0.0.1:9787", err)
	}
	if addr == public {
		return errors.New("is the public address; choose another port, such as 127.0.0.1:9787")
	}
	return nil
}

// checkCollector: what stands in a URL gets into errors, so a secret must not.
func checkCollector(s string) error {
	if s == "" {
		return nil
	}
	if u, err := url.Parse(s); err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil || u.RawQuery != "" {
		return errors.New("is no address of a collector; write http://host:4318, and what it wants to be shown into OTEL_EXPORTER_OTLP_HEADERS")
	}
	return nil
}

// checkRedis repeats nothing of the address: it may hold a password.
func checkRedis(s string) error {
	if s == "" {
		return nil
	}
	fault := errors.New("is not the address of a Redis; write redis://:PASSWORD@HOST:6379/0, rediss:// for TLS, or unix:///PATH")
	u, err := url.Parse(s)
	if err != nil {
		return fault
	}
	switch u.Scheme {
	case "unix":
		if u.Host != "" || u.Path == "" {
			return fault
		}
	case "redis", "rediss":
		db := strings.Trim(u.Path, "/")
		if _, err := strconv.ParseUint(db, 10, 16); u.Hostname() == "" || db != "" && err != nil {
			return fault
		}
	default:
		return fault
	}
	return nil
}

// parsePassKey reads the key that signs passes. That there is none is the core's to say.
func parsePassKey(s string) (ed25519.PrivateKey, error) {
	if s == "" {
		return nil, nil
	}
	key, err := pass.ParsePrivate(s)
	if err != nil {
		return nil, fmt.Errorf("%w; `gateway keygen` prints a good one", err)
	}
	return key, nil
}

// countLike reads a count that fits into an int everywhere; such is an example.
func countLike(such int64) func(string) (int64, error) {
	return func(s string) (int64, error) {
		n, err := strconv.ParseInt(s, 10, 32)
		if err != nil || n < 1 {
			return 0, fmt.Errorf("is not a count; write a number from 1 to %d, such as %d", math.MaxInt32, such)
		}
		return n, nil
	}
}

func parseLevel(s string) (level slog.Level, err error) {
	err = level.UnmarshalText([]byte(s))
	return level, err
}

func parseFormat(s string) (string, error) {
	if s = strings.ToLower(s); s != "json" && s != "text" {
		return "", errors.New("is neither json nor text")
	}
	return s, nil
}
