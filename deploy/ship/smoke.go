package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// check is something that must hold of whatever was deployed.
type check struct {
	path   string
	status int
	right  func(http.Header, []byte) bool
	what   string
}

// checks wake no container and need no credential.
var checks = []check{
	{"/health", http.StatusOK, func(_ http.Header, b []byte) bool {
		var h struct{ Status string }
		return json.Unmarshal(b, &h) == nil && h.Status == "ok"
	}, "the gateway is healthy"},
	{"/", http.StatusOK, func(h http.Header, b []byte) bool {
		return strings.HasPrefix(h.Get("Content-Type"), "text/html") && strings.Contains(h.Get("Content-Security-Policy"), "default-src") && len(b) > 0
	}, "the page comes, with its policy"},
	{"/api/sessions", http.StatusUnauthorized, func(_ http.Header, b []byte) bool {
		var f struct{ Code string }
		return json.Unmarshal(b, &f) == nil && f.Code == "unauthorized"
	}, "nobody comes in without a credential"},
}

// smoke looks whether the address answers as it should. A deploy takes a while to
// be everywhere.
func (s *shipper) smoke(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	for _, c := range checks {
		var err error
		for {
			if err = s.try(ctx, strings.TrimSuffix(address, "/"), c); err == nil {
				break
			}
			select {
			case <-ctx.Done():
				return err
			case <-time.After(time.Second):
			}
		}
		s.say("%s", c.what)
	}
	return nil
}

func (s *shipper) try(ctx context.Context, address string, c check) error {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, address+c.path, http.NoBody)
	if err != nil {
		return err
	}
	res, err := s.http.Do(q)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return err
	}
	if res.StatusCode != c.status || !c.right(res.Header, b) {
		return fmt.Errorf("GET %s%s: status %d, body %.200q; expected %d: %s", address, c.path, res.StatusCode, b, c.status, c.what)
	}
	return nil
}
