package rollout

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/loongclaw/loongclaw/deploy/client"
)

// check is something that must hold of whatever was deployed.
type check struct {
	path   string
	status int
	right  func(client.Answer) bool
	what   string
}

// checks wake no agent and need no credential.
var checks = []check{
	{"/health", http.StatusOK, func(a client.Answer) bool {
		var h struct{ Status string }
		return a.JSON(&h) == nil && h.Status == "ok"
	}, "the gateway is healthy"},
	{"/", http.StatusOK, func(a client.Answer) bool {
		return strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") && strings.Contains(a.Header.Get("Content-Security-Policy"), "default-src") && len(a.Body) > 0
	}, "the page comes, with its policy"},
	{"/api/sessions", http.StatusUnauthorized, func(a client.Answer) bool {
		var f client.Fault
		return json.Unmarshal(a.Body, &f) == nil && f.Code == "unauthorized"
	}, "nobody comes in without a credential"},
}

// strangers looks whether the address answers those without a credential as it
// should. What was deployed takes a while to be everywhere.
func strangers(ctx context.Context, c *client.Client, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	stranger := client.Client{Base: c.Base, HTTP: c.HTTP}
	for _, one := range checks {
		for {
			a, err := stranger.Do(ctx, http.MethodGet, one.path, nil)
			if err == nil && a.Status == one.status && one.right(a) {
				break
			}
			if err == nil {
				err = fmt.Errorf("GET %s: %v; expected %d: %s", one.path, a, one.status, one.what)
			}
			select {
			case <-ctx.Done():
				return err
			case <-time.After(time.Second):
			}
		}
	}
	return nil
}
