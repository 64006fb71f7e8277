package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Client speaks for one user to one gateway.
type Client struct {
	Base  string // http://host:port
	Token string // empty sends no credential
	HTTP  *http.Client
}

// New makes a client. transport may be shared by many; nil makes one.
func New(base, token string, transport *http.Transport) *Client {
	if transport == nil {
		transport = Transport()
	}
	return &Client{Base: base, Token: token, HTTP: &http.Client{Transport: transport, CheckRedirect: Stay}}
}

// Stay follows no redirect: the token is for the address that was named, and what
// leads elsewhere is an answer.
func Stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Transport keeps enough connections for a thousand streams.
func Transport() *http.Transport {
	return &http.Transport{
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		MaxIdleConns:        2048,
		MaxIdleConnsPerHost: 2048,
		IdleConnTimeout:     30 * time.Second,
		DisableCompression:  true,
	}
}

// Answer is a response whose body has been read.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// JSON reads the body into v.
func (a Answer) JSON(v any) error {
	if err := json.Unmarshal(a.Body, v); err != nil {
		return fmt.Errorf("status %d, body %.300q: %w", a.Status, a.Body, err)
	}
	return nil
}

// Fault reads the body as the JSON error; its fields are empty when it is none.
func (a Answer) Fault() Fault {
	var f Fault
	if json.Unmarshal(a.Body, &f) != nil {
		return Fault{}
	}
	return f
}

// String is for a failed test's text.
func (a Answer) String() string { return fmt.Sprintf("status %d, body %.400s", a.Status, a.Body) }

// Header is one header of a request.
type Header struct{ Name, Value string }

// Do sends a request and reads its answer. A []byte, string or io.Reader body
// goes as it is, anything else but nil as JSON.
func (c *Client) Do(ctx context.Context, method, path string, body any, headers ...Header) (Answer, error) {
	res, err := c.send(ctx, method, path, body, headers...)
	if err != nil {
		return Answer{}, err
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return Answer{}, fmt.Errorf("%s %s: status %d, then: %w", method, path, res.StatusCode, err)
	}
	return Answer{Status: res.StatusCode, Header: res.Header, Body: b}, nil
}

func (c *Client) send(ctx context.Context, method, path string, body any, headers ...Header) (*http.Response, error) {
	r, err := reader(body)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, method, c.Base+path, r)
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.Token)
	}
	for _, h := range headers {
		req.Header.Set(h.Name, h.Value)
	}
	return c.HTTP.Do(req)
}

func reader(body any) (io.Reader, error) {
	switch b := body.(type) {
	case nil:
		return nil, nil
	case []byte:
		return bytes.NewReader(b), nil
	case string:
		return bytes.NewReader([]byte(b)), nil
	case io.Reader:
		return b, nil
	}
	raw, err := json.Marshal(body)
	return bytes.NewReader(raw), err
}

// SessionPath is /api/sessions/{id} and what follows it, escaped.
func SessionPath(session, tail string) string {
	return "/api/sessions/" + url.PathEscape(session) + tail
}
