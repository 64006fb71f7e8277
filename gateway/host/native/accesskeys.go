package native

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/loongclaw/loongclaw/gateway/edge"
)

const (
	// keysLife is how long a team's keys count; from keysOld on, new ones are
	// looked for, so that a short failure there shuts nobody out.
	keysLife = time.Hour
	keysOld  = 30 * time.Minute
	// keysPause is between two fetches while there are keys, keysRetry while there
	// are none: anybody can ask for them, so asking must cost the team nothing.
	keysPause  = time.Minute
	keysRetry  = 5 * time.Second
	keysWait   = 5 * time.Second
	maxKeyText = 64 << 10
)

// accessKeys fetches and keeps the keys of Cloudflare Access.
type accessKeys struct {
	web http.RoundTripper
	now func() time.Time

	mu    sync.Mutex
	text  string
	got   time.Time // when text came
	tried time.Time
}

// answer gives the keys, and the error when a fetch for them failed. Who asks
// while another one fetches waits for that one's.
func (k *accessKeys) answer(ctx context.Context, q edge.KeysQuestion) (edge.KeysAnswer, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.now()
	if now.Sub(k.got).Abs() >= keysLife {
		k.text = ""
	}
	pause := keysPause
	if k.text == "" {
		pause = keysRetry
	}
	wanted := k.text == "" || q.Refresh || now.Sub(k.got) >= keysOld
	var err error
	if wanted && now.Sub(k.tried).Abs() >= pause {
		k.tried = now
		var text string
		if text, err = k.fetch(ctx, q.URL); err == nil {
			k.text, k.got = text, now
		}
	}
	return edge.KeysAnswer{JSON: k.text, Refreshed: q.Refresh}, err
}

func (k *accessKeys) fetch(ctx context.Context, url string) (string, error) {
	// The client that asked may go; the next one needs the keys, too.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keysWait)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	resp, err := k.web.RoundTrip(req) // which follows no redirect
	if err != nil {
		return "", fmt.Errorf("fetching the keys of Cloudflare Access: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxKeyText+1))
	switch {
	case err != nil:
		return "", fmt.Errorf("reading the keys of Cloudflare Access: %w", err)
	case resp.StatusCode != http.StatusOK:
		return "", fmt.Errorf("the keys of Cloudflare Access: status %d", resp.StatusCode)
	case len(b) == 0 || len(b) > maxKeyText:
		return "", errors.New("the keys of Cloudflare Access: nothing, or too much")
	}
	return string(b), nil
}
