package websearch

import (
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"github.com/loongclaw/loongclaw/pkg/plain"
	"github.com/loongclaw/loongclaw/pkg/redact"
)

// Result is one page that was found.
type Result struct {
	Title   string `json:"title"`
	URL     string `json:"url"`
	Snippet string `json:"snippet"`
	Date    string `json:"date,omitempty"` // YYYY-MM-DD
}

// The limits of one result, in bytes.
const (
	maxTitle   = 300
	maxSnippet = 1500
	maxURL     = 2048
)

// results makes one form of what was found, without what has no address of a page,
// and each address once.
func results(all []found, count int, secrets []string) []Result {
	out := []Result{}
	seen := map[string]bool{}
	for _, f := range all {
		address := pageAddress(f.url)
		if address == "" || seen[address] || leaks(address, secrets) {
			continue
		}
		seen[address] = true
		title := oneLine(hide(f.title, secrets), maxTitle)
		if title == "" {
			title = address
		}
		out = append(out, Result{Title: title, URL: address, Snippet: oneLine(hide(f.snippet, secrets), maxSnippet), Date: day(f.date)})
		if len(out) == count {
			break
		}
	}
	return out
}

// minSecret is the shortest text that is no part of many words.
const minSecret = 8

// hide takes out what a provider must not give back: the key that it was shown.
func hide(text string, secrets []string) string {
	for _, s := range secrets {
		if len(s) >= minSecret {
			text = strings.ReplaceAll(text, s, redact.Mark)
		}
	}
	return text
}

func leaks(address string, secrets []string) bool {
	return hide(address, secrets) != address
}

// pageAddress returns the address of a page in one form, "" for what is none: other
// schemes do something instead of leading somewhere, and a user name in front of a
// host hides it.
func pageAddress(text string) string {
	text = strings.TrimSpace(text)
	if _, at := plain.Hidden(text); at >= 0 || text == "" || len(text) > maxURL || strings.ContainsAny(text, " \\\"<>") {
		return ""
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.Hostname() == "" {
		return ""
	}
	if !strings.Contains(u.Hostname(), ":") {
		ascii, err := idna.Lookup.ToASCII(u.Hostname())
		if err != nil { // an underscore, say
			return ""
		}
		if port := u.Port(); port != "" {
			ascii += ":" + port
		}
		u.Host = ascii
	}
	if address := u.String(); len(address) <= maxURL {
		return address
	}
	return ""
}

// oneLine returns a text in one line without what cannot be seen, in at most limit
// bytes.
func oneLine(text string, limit int) string {
	// What is left out is left out before the text is gone over in full.
	if len(text) > 8*limit {
		text = text[:8*limit]
	}
	text = strings.Join(strings.Fields(plain.Clean(text)), " ")
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return strings.TrimSpace(text[:limit]) + "…"
}

// dates are the forms in which providers say when a page was published.
var dates = []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05", "2006-01-02 15:04", time.DateOnly, "2006/01/02", "2006年01月02日", "2006年1月2日", time.RFC1123, time.RFC1123Z}

// day returns the day of a date in any of these forms, "" for anything else.
func day(text string) string {
	text = strings.TrimSpace(text)
	if len(text) > 40 {
		return ""
	}
	for _, form := range dates {
		if at, err := time.Parse(form, text); err == nil && at.Year() > 1900 && at.Year() < 2200 {
			return at.Format(time.DateOnly)
		}
	}
	return ""
}
