package redact

import (
	"cmp"
	"encoding/json"
	"io"
	"slices"
	"strings"
)

// Mark stands in a secret's place.
const Mark = "[secret]"

// minLength is the shortest text that can be kept out: a shorter one is part of many
// words, and no secret.
const minLength = 8

// Writer writes to w without these secrets, also where they stand in JSON. A secret
// must not be spread over two writes; a log writes each record at once.
func Writer(w io.Writer, secrets ...string) io.Writer {
	// At one place the first that fits is taken: the longest must come first.
	secrets = slices.SortedFunc(slices.Values(secrets), func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	var pairs []string
	for _, s := range secrets {
		if len(s) < minLength {
			continue
		}
		pairs = append(pairs, s, Mark)
		for _, html := range []bool{false, true} { // slog leaves < > & as they are, others do not
			if quoted := inJSON(s, html); quoted != s {
				pairs = append(pairs, quoted, Mark)
			}
		}
	}
	if pairs == nil {
		return w
	}
	return writer{w, strings.NewReplacer(pairs...)}
}

// inJSON is a text as it stands between the quotes of a JSON string.
func inJSON(s string, html bool) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(html)
	if err := e.Encode(s); err != nil {
		return s
	}
	text := strings.TrimSuffix(b.String(), "\n")
	return text[1 : len(text)-1]
}

type writer struct {
	to      io.Writer
	without *strings.Replacer
}

// Write says that it has written all of b when it has written what may be.
func (w writer) Write(b []byte) (int, error) {
	if _, err := w.without.WriteString(w.to, string(b)); err != nil {
		return 0, err
	}
	return len(b), nil
}

var _ io.Writer = writer{}
