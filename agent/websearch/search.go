package websearch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/loongclaw/loongclaw/agent/outbound"
)

const (
	// maxAnswer bounds what is read of an answer, unpacked.
	maxAnswer = 2 << 20
	// MaxResults is the most that may be asked for.
	MaxResults = 10
	// maxRetry is the longest wait that is waited for here: some providers take one
	// search a second.
	maxRetry = 3 * time.Second
	// answered stands on what a provider answered, and not on what the egress proxy
	// itself says.
	answered = "X-LoongClaw-Web"
)

// Client asks one provider.
type Client struct {
	settings Settings
	vendor   vendor
	http     *http.Client
	now      func() time.Time
}

// Config is what a client needs besides its provider.
type Config struct {
	Out  outbound.Config
	Mark func(*http.Request) // puts what an egress proxy asks for on a request to it
	Now  func() time.Time
}

// New returns a client of a provider that Choose returned.
func New(s Settings, c Config) *Client {
	out := &Client{settings: s, vendor: vendors[s.Name], now: c.Now}
	if out.now == nil {
		out.now = time.Now
	}
	if s.Egress != "" {
		out.http = outbound.Unfollowing(outbound.Egress(c.Mark))
		return out
	}
	if s.Private != "" {
		c.Out.Private = append(c.Out.Private, s.Private)
	}
	out.http = outbound.New(c.Out)
	return out
}

// Provider is whom it asks.
func (c *Client) Provider() Spec { return c.settings.Spec }

// Check says why the provider would not take a query, "" when it would.
func (c *Client) Check(text string) string {
	s := c.settings.Spec
	if n := utf8.RuneCountInString(text); n > s.MaxQuery {
		return fmt.Sprintf("the query has %d characters; %s takes at most %d: leave out what says least", n, s.Title, s.MaxQuery)
	}
	if n := len(strings.Fields(text)); s.MaxWords > 0 && n > s.MaxWords {
		return fmt.Sprintf("the query has %d words; %s takes at most %d: leave out what says least", n, s.Title, s.MaxWords)
	}
	return ""
}

// Search returns at most count results, best first as the provider has them.
func (c *Client) Search(ctx context.Context, text string, count int) ([]Result, error) {
	count = min(max(count, 1), MaxResults)
	all, err := c.once(ctx, text, count)
	var e *Error
	if errors.As(err, &e) && e.Kind == KindBusy && e.Wait > 0 && e.Wait <= maxRetry {
		timer := time.NewTimer(e.Wait)
		defer timer.Stop()
		select {
		case <-timer.C:
			all, err = c.once(ctx, text, count)
		case <-ctx.Done():
		}
	}
	if err != nil {
		return nil, c.explain(ctx, err)
	}
	return results(all, count, c.settings.Secrets()), nil
}

// explain makes an Error of whatever went wrong: those of the network hold addresses.
func (c *Client) explain(ctx context.Context, err error) error {
	var e *Error
	switch {
	case errors.As(err, &e):
	case errors.Is(ctx.Err(), context.Canceled):
		return ctx.Err()
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		e = &Error{Kind: KindLate, cause: context.DeadlineExceeded}
	case errors.Is(err, outbound.ErrTooLarge):
		e = &Error{Kind: KindTooLarge}
	default:
		e = &Error{Kind: KindReach}
	}
	e.Provider = c.settings.Title
	names := c.settings.Keys
	if e.Kind != KindKey || len(names) == 0 {
		names = c.settings.URLs
	}
	e.Variable = names[0]
	return e
}

func (c *Client) once(ctx context.Context, text string, count int) ([]found, error) {
	request, err := c.request(ctx, text, count)
	if err != nil {
		return nil, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }() // only read from
	status := response.StatusCode
	if c.settings.Egress != "" && response.Header.Get(answered) == "" {
		return nil, ofEgress(status)
	}
	body, err := outbound.Read(response.Body, maxAnswer)
	if status != http.StatusOK {
		e := c.vendor.fault(status, body) // what could be read of it
		if e == nil {
			e = ofStatus(status)
		}
		if e.Kind == KindBusy {
			e.Wait = waitOf(response.Header, c.now())
		}
		return nil, e
	}
	if err != nil {
		return nil, err
	}
	if kind, _, err := mime.ParseMediaType(response.Header.Get("Content-Type")); err != nil || kind != "application/json" && !strings.HasSuffix(kind, "+json") {
		return nil, &Error{Kind: KindOdd}
	}
	return c.vendor.read(body)
}

// ofEgress is what the egress proxy itself says with a status.
func ofEgress(status int) *Error {
	if status == http.StatusNotFound { // it has no key for this provider
		return &Error{Kind: KindKey}
	}
	return &Error{Kind: KindReach}
}

func (c *Client) request(ctx context.Context, text string, count int) (*http.Request, error) {
	to := c.settings.URL
	if c.settings.Egress != "" {
		to = c.settings.Egress + "/search/" + c.settings.Name
	}
	var body io.Reader
	switch ask := c.vendor.ask(text, count).(type) {
	case url.Values:
		to += "?" + ask.Encode()
	default:
		encoded, err := json.Marshal(ask)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, c.settings.Method, to, body)
	if err != nil {
		return nil, &Error{Kind: KindReach} // the error has the address
	}
	request.Header.Set("User-Agent", "LoongClaw (web_search)")
	request.Header.Set("Accept", "application/json")
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	switch {
	case c.settings.Key == "", c.settings.Auth == AuthNone:
	case c.settings.Auth == AuthBearer:
		request.Header.Set("Authorization", "Bearer "+c.settings.Key)
	default:
		request.Header.Set(string(c.settings.Auth), c.settings.Key)
	}
	return request, nil
}
