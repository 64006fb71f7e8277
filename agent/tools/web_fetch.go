package tools

import (
	"context"
	_ "embed" // the description
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/outbound"
	"github.com/loongclaw/loongclaw/agent/tools/webpage"
	"github.com/loongclaw/loongclaw/agent/tools/worker"
)

//go:embed web_fetch.md
var webFetchText string

const webFetchParameters = `{"type":"object","properties":{
"url":{"type":"string","description":"the http or https address of the page"},
"offset":{"type":"integer","minimum":0,"default":0,"description":"the byte of the text to begin at"}},
"required":["url"]}`

const (
	maxPage      = webpage.MaxBody // bytes, unpacked
	maxRedirects = 5
)

type webFetch struct {
	config Config
	listed map[string]bool
	client *http.Client
}

func newWebFetch(c Config) webFetch {
	t := webFetch{config: c, listed: map[string]bool{}}
	for _, h := range c.WebHosts {
		if host, err := webHost(strings.TrimSpace(h)); err == nil {
			t.listed[host] = true
		}
	}
	// Redirects are followed in Run, which judges each.
	if c.WebEgress != "" {
		t.client = outbound.Unfollowing(webEgress{base: c.WebEgress, way: outbound.Egress(c.Mark)})
	} else {
		t.client = outbound.New(outbound.Config{Resolve: c.Resolve, Dial: c.Dial})
	}
	return t
}

func (webFetch) Spec() loop.Spec { return spec("web_fetch", webFetchText, webFetchParameters) }

// ReadOnly is false: a server counts its visitors, so a fetch is not repeated
// after a crash without the model knowing.
func (webFetch) ReadOnly() bool { return false }

// Foreign is true: anybody can put up a page.
func (webFetch) Foreign() bool { return true }

// Outside is there because a page comes from the net.
func (webFetch) Outside() {}

// Fences is there because part fences a page.
func (webFetch) Fences() {}

// SourceOf is the page's address.
func (t webFetch) SourceOf(raw json.RawMessage) string {
	if u, _, err := t.parse(raw); err == nil {
		return u.String()
	}
	return ""
}

// Limit is the longest fetch and what follows it.
func (t webFetch) Limit() time.Duration { return t.config.WebTimeout }

func (webFetch) parse(raw json.RawMessage) (*url.URL, int, error) {
	var a struct {
		URL    string `json:"url"`
		Offset int    `json:"offset"`
	}
	if err := decode(raw, &a); err != nil {
		return nil, 0, err
	}
	if a.URL == "" {
		return nil, 0, missing("url")
	}
	if a.Offset < 0 {
		return nil, 0, failed("offset must not be negative")
	}
	u, err := webAddress(a.URL)
	return u, a.Offset, err
}

func (t webFetch) Judge(raw json.RawMessage, env Env) Verdict {
	u, _, err := t.parse(raw)
	if err != nil {
		return deny(text(err))
	}
	if t.unasked(u, env) {
		return Verdict{Kind: VerdictRun}
	}
	return ask("web_fetch " + u.String())
}

// unasked reports whether an address may be opened without a question: the owner
// listed its host, or the user wrote it. Of a site that the user named, it may
// also be another address, as long as nothing in it can be a message to that site:
// it has no query and nobody but the user and the model has had a say yet, or it
// is a link of a page of that site itself.
func (t webFetch) unasked(u *url.URL, env Env) bool {
	if allowedHost(u.Hostname(), t.listed) {
		return true
	}
	n := addressesIn(env.UserText)
	if !n.sites[siteKey(u)] {
		return false
	}
	key := pageKey(u)
	if n.pages[key] || env.Sight.leadsTo(key) {
		return true
	}
	return u.RawQuery == "" && !u.ForceQuery && !env.Sight.Foreign()
}

func (t webFetch) Run(ctx context.Context, raw json.RawMessage, env Env) (string, error) {
	u, offset, err := t.parse(raw)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, t.config.WebTimeout)
	defer cancel()
	asked := u.Hostname()
	for range maxRedirects + 1 {
		body, kind, next, err := t.get(ctx, u)
		switch {
		case err != nil:
			return "", t.explain(ctx, u, err)
		case next == "":
			page, err := t.read(ctx, u, body, kind, offset)
			if err != nil {
				return "", err
			}
			env.Sight.linked(page.Links)
			return part(u, page), nil
		}
		to, err := u.Parse(next)
		if err != nil {
			return "", failed("%s redirects to an address that cannot be read", u)
		}
		if to, err = webAddress(to.String()); err != nil {
			return "", failed("%s redirects to where nothing is fetched from: %s", u, text(err))
		}
		if !allowedHost(to.Hostname(), map[string]bool{asked: true}) && !t.unasked(to, env) {
			return "", failed("%s redirects to %s; call web_fetch with that address if it is what the user wants", u, to)
		}
		u = to
	}
	return "", failed("%s redirects more than %d times", u, maxRedirects)
}

// get gives a page, or where it has gone.
func (t webFetch) get(ctx context.Context, u *url.URL) (body []byte, kind, next string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, "", "", err
	}
	request.Header.Set("User-Agent", "LoongClaw (web_fetch)")
	request.Header.Set("Accept", "text/html, text/plain, application/json;q=0.9, text/*;q=0.8")
	response, err := t.client.Do(request)
	if err != nil {
		return nil, "", "", err
	}
	defer func() { _ = response.Body.Close() }() // only read from
	if to := response.Header.Get("Location"); to != "" && response.StatusCode/100 == 3 {
		return nil, "", to, nil
	}
	if response.StatusCode/100 != 2 {
		return nil, "", "", failed("%s answered with status %d; check the address", u, response.StatusCode)
	}
	body, err = outbound.Read(response.Body, maxPage)
	if errors.Is(err, outbound.ErrTooLarge) {
		return nil, "", "", failed("%s is larger than %d bytes; look for a smaller page", u, maxPage)
	}
	if err != nil {
		return nil, "", "", err
	}
	return body, response.Header.Get("Content-Type"), "", nil
}

// explain says what went wrong without the inside of the error.
func (t webFetch) explain(ctx context.Context, u *url.URL, err error) error {
	var said *callError
	var dns *net.DNSError
	switch {
	case errors.As(err, &said):
		return said
	case errors.Is(err, outbound.ErrNotPublic):
		return &callError{text: u.Hostname() + " is not on the public internet; only pages of the public web can be fetched", cause: err}
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return &callError{text: fmt.Sprintf("%s did not answer within %v", u.Hostname(), t.config.WebTimeout), cause: err}
	case errors.Is(ctx.Err(), context.Canceled):
		return ctx.Err()
	case errors.As(err, &dns):
		return &callError{text: "there is no host " + u.Hostname() + "; check the address", cause: err}
	}
	return &callError{text: "the connection to " + u.Hostname() + " failed; try again later or another page", cause: err}
}

// read turns what a site sent into text, in a process of its own: a page can be
// made to cost any time and memory.
func (t webFetch) read(ctx context.Context, u *url.URL, body []byte, contentType string, offset int) (webpage.Text, error) {
	room := t.config.MaxOutput - 2600
	input, err := webpage.Request{URL: u.String(), ContentType: contentType, Offset: offset, Room: room, Body: body}.Encode()
	if err != nil {
		return webpage.Text{}, err
	}
	limit := maxPageTime
	if end, ok := ctx.Deadline(); ok {
		limit = min(limit, max(time.Until(end), 0))
	}
	output, err := t.config.Worker.Run(ctx, worker.Task{Name: taskPage, Input: input, Time: limit, Output: webpage.MaxResult(room)})
	if what := tooMuch(err); what != "" || errors.Is(err, context.DeadlineExceeded) {
		if what == "" {
			what = "it took too long"
		}
		return webpage.Text{}, &callError{text: fmt.Sprintf("the page %s was not turned into text: %s; look for a simpler page", u, what), cause: err}
	}
	var page webpage.Text
	if err == nil {
		err = json.Unmarshal(output, &page)
	}
	if err != nil {
		return webpage.Text{}, err
	}
	if page.Problem != "" {
		return webpage.Text{}, failed("the page %s cannot be read: %s", u, page.Problem)
	}
	return page, nil
}

// part gives a piece of a page's text, fenced as what it is.
func part(u *url.URL, page webpage.Text) string {
	out := fence("web page "+u.String(), page.Text)
	if page.To < page.Total {
		out += fmt.Sprintf("\n[cut: bytes %d to %d of %d; call web_fetch with offset=%d to see more]", page.From, page.To, page.Total, page.To)
	}
	return out
}

var _ Tool = webFetch{}
