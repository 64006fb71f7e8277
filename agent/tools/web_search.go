package tools

import (
	"context"
	_ "embed" // the description
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/outbound"
	"github.com/loongclaw/loongclaw/agent/websearch"
	"github.com/loongclaw/loongclaw/pkg/plain"
)

//go:embed web_search.md
var webSearchText string

const webSearchParameters = `{"type":"object","properties":{
"query":{"type":"string","maxLength":%d,"description":"what to search for, as one types it into a search engine"},
"limit":{"type":"integer","minimum":1,"maximum":%d,"default":%d,"description":"how many results"}},
"required":["query"]}`

const usualResults = 5

type webSearch struct {
	client  *websearch.Client
	timeout time.Duration
	room    int // bytes of results
}

func newWebSearch(c Config) webSearch {
	return webSearch{
		client: websearch.New(*c.Search, websearch.Config{
			Out: outbound.Config{Resolve: c.Resolve, Dial: c.Dial}, Mark: c.Mark, Now: c.Now,
		}),
		timeout: c.WebTimeout,
		room:    c.MaxOutput - 200, // for the note
	}
}

func (t webSearch) Spec() loop.Spec {
	return spec("web_search", webSearchText, fmt.Sprintf(webSearchParameters, t.client.Provider().MaxQuery, websearch.MaxResults, usualResults))
}

// ReadOnly is false: a search leaves for the provider and is paid for, so it is not
// repeated after a crash without the model knowing.
func (webSearch) ReadOnly() bool { return false }

// Foreign is true: anybody can put up a page that is found.
func (webSearch) Foreign() bool { return true }

// SourceOf is the search, with its words.
func (t webSearch) SourceOf(raw json.RawMessage) string {
	query, _, err := t.parse(raw)
	if err != nil {
		return ""
	}
	return "web search: " + query
}

// Outside says that anybody can have written what was found.
func (webSearch) Outside() {}

// Limit is the longest search.
func (t webSearch) Limit() time.Duration { return t.timeout }

func (t webSearch) parse(raw json.RawMessage) (query string, limit int, err error) {
	var a struct {
		Query string `json:"query"`
		Limit int    `json:"limit"`
	}
	if err := decode(raw, &a); err != nil {
		return "", 0, err
	}
	a.Query = strings.Join(strings.Fields(a.Query), " ")
	switch {
	case a.Query == "":
		return "", 0, missing("query")
	case a.Limit < 0:
		return "", 0, failed("limit must not be negative")
	case a.Limit == 0:
		a.Limit = usualResults
	}
	if r, at := plain.Hidden(a.Query); at >= 0 {
		return "", 0, failed("the query has the character %U, which cannot be seen; leave it out", r)
	}
	if why := t.client.Check(a.Query); why != "" {
		return "", 0, failed("%s", why)
	}
	return a.Query, min(a.Limit, websearch.MaxResults), nil
}

// Judge lets a search run unasked while nobody but the user and the model has had a
// say: it goes to the one provider whom the owner chose for that. Once the model has
// read what others wrote, the words of a search may be their wish, and hold what the
// model knows of the user; then it asks, with these words.
func (t webSearch) Judge(raw json.RawMessage, env Env) Verdict {
	query, _, err := t.parse(raw)
	if err != nil {
		return deny(text(err))
	}
	if !env.Sight.Foreign() {
		return Verdict{Kind: VerdictRun}
	}
	return ask("web_search " + visible(query))
}

func (t webSearch) Run(ctx context.Context, raw json.RawMessage, _ Env) (string, error) {
	query, limit, err := t.parse(raw)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, t.timeout)
	defer cancel()
	results, err := t.client.Search(ctx, query, limit)
	var said *websearch.Error
	switch {
	case errors.As(err, &said):
		return "", &callError{text: said.Error(), cause: err}
	case err != nil:
		return "", err
	case len(results) == 0:
		return "nothing was found; search with other or fewer words", nil
	}
	return t.shown(results)
}

// shown gives results. Those that have no room are left out whole, so that the list
// can be read.
func (t webSearch) shown(results []websearch.Result) (string, error) {
	for n := len(results); ; n-- {
		list, err := toJSON(results[:n])
		if err != nil {
			return "", err
		}
		if len(list) > t.room && n > 1 {
			continue
		}
		if n < len(results) {
			list += fmt.Sprintf("\n[%d more results had no room]", len(results)-n)
		}
		return list, nil
	}
}

var _ Tool = webSearch{}
