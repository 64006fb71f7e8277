package main

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// scrubber takes out of a text what must not be sent to others: the token and the
// address in every usual form, and whatever looks like a secret, an address or
// somebody's words.
type scrubber struct {
	known *strings.Replacer
}

func newScrubber(base, token string) *scrubber {
	host := base[strings.Index(base, "://")+3:]
	name := host
	if u, err := url.Parse(base); err == nil {
		name = u.Hostname()
	}
	var pairs []string
	for _, form := range []string{token, url.QueryEscape(token), base64.StdEncoding.EncodeToString([]byte(token)), base64.RawURLEncoding.EncodeToString([]byte(token))} {
		pairs = append(pairs, form, "[token]")
	}
	for _, form := range []string{base, host, name} {
		pairs = append(pairs, form, "[address]")
	}
	return &scrubber{known: strings.NewReplacer(pairs...)}
}

// shapes are what may be taken for something private, the longer forms first.
var shapes = []struct {
	form *regexp.Regexp
	by   string
}{
	{regexp.MustCompile(`(?i)\b[a-z][a-z0-9+.-]*://[^\s"'<>]+`), "[address]"},
	{regexp.MustCompile(`[\w.+-]+@[\w-]+(?:\.[\w-]+)+`), "[address]"},
	{regexp.MustCompile(`(?i)\b(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}(?::\d+)?\b`), "[address]"},
	{regexp.MustCompile(`\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b`), "[address]"},
	{regexp.MustCompile(`(?i)\[?\b[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){3,}\b\]?(?::\d+)?`), "[address]"},
	{regexp.MustCompile(`(?i)\bbearer\s+\S+`), "[token]"},
	{regexp.MustCompile(`\b(?:sk|lcs|lct|pk)[-_][\w.-]+`), "[token]"},
	{regexp.MustCompile(`"(?:[^"\\]|\\.){40,}"`), `"[a text]"`},
	{regexp.MustCompile(`[A-Za-z0-9_+/=-]{24,}`), "[a long word]"},
}

// longest is how much of what a server said is shown.
const longest = 300

// clean returns one line that can be shown and sent, whoever said it.
func (s *scrubber) clean(text string) string { return shaped(s.ours(text)) }

// ours is for words of this program, in which names of files and sites are no secret.
func (s *scrubber) ours(text string) string {
	return s.known.Replace(strings.Map(printable, text))
}

// shaped takes out what looks private, and keeps the text short.
func shaped(text string) string {
	text = strings.Map(printable, text)
	for _, one := range shapes {
		text = one.form.ReplaceAllString(text, one.by)
	}
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > longest {
		end := longest
		for !utf8.RuneStart(text[end]) {
			end--
		}
		text = fmt.Sprintf("%s… (%d bytes)", text[:end], len(text))
	}
	return text
}

// printable keeps a server from writing to the terminal.
func printable(r rune) rune {
	switch {
	case unicode.IsSpace(r):
		return ' '
	case unicode.IsPrint(r) && r != utf8.RuneError:
		return r
	}
	return '·'
}
