package websearchtest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Page is a page that can be found.
type Page struct{ Title, URL, Text, Date string }

// Fake is one provider. It gives its pages to every right question.
type Fake struct {
	Name  string // as in the table of providers
	Key   string // that counts
	Pages []Page
	// Denies answers every question with what the provider says in such a case: "key",
	// "quota", "busy"; "" answers it.
	Denies string

	Asked []string // the queries that were answered
}

// ServeHTTP answers as the provider would.
func (f *Fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	serve := map[string]func(http.ResponseWriter, *http.Request){
		"tavily": f.tavily, "brave": f.brave, "exa": f.exa, "searxng": f.searxng, "bocha": f.bocha, "glm": f.glm,
	}[f.Name]
	if serve == nil {
		http.Error(w, "the fake knows no provider "+f.Name, http.StatusNotImplemented)
		return
	}
	serve(w, r)
}

func say(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

type object = map[string]any

// form is what the body of a question may hold: each field with its check, and
// those that must be there.
type form struct {
	fields   map[string]func(any) bool
	required []string
}

func text(limit int) func(any) bool {
	return func(v any) bool {
		s, ok := v.(string)
		return ok && s != "" && utf8.RuneCountInString(s) <= limit
	}
}

func number(least, most float64) func(any) bool {
	return func(v any) bool {
		n, ok := v.(float64)
		return ok && n == float64(int(n)) && n >= least && n <= most
	}
}

func either(words ...string) func(any) bool {
	return func(v any) bool { s, ok := v.(string); return ok && slices.Contains(words, s) }
}

func truth(v any) bool { _, ok := v.(bool); return ok }

// posted reads a question that is a body, and says what is wrong about it.
func (f form) posted(r *http.Request, path string) (object, string) {
	switch {
	case r.URL.Path != path:
		return nil, "no such path: " + r.URL.Path
	case r.Method != http.MethodPost:
		return nil, "the method is not POST"
	case r.Header.Get("Content-Type") != "application/json":
		return nil, "the body is not JSON"
	case r.URL.RawQuery != "":
		return nil, "there is a query"
	}
	raw, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	var body object
	if err != nil || json.Unmarshal(raw, &body) != nil {
		return nil, "the body cannot be read"
	}
	for name, value := range body {
		if check := f.fields[name]; check == nil || !check(value) {
			return nil, "not a valid field: " + name
		}
	}
	for _, name := range f.required {
		if _, ok := body[name]; !ok {
			return nil, "missing: " + name
		}
	}
	return body, ""
}

// shown gives the pages that were asked for, in the provider's form.
func (f *Fake) shown(query string, count int, form func(Page) object) []object {
	f.Asked = append(f.Asked, query)
	out := []object{}
	for _, p := range f.Pages[:min(count, len(f.Pages))] {
		out = append(out, form(p))
	}
	return out
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// refusal is a status, and the provider's own code.
type refusal struct {
	status int
	code   any
}

// refusals are what a provider says to a question that it does not answer.
type refusals struct{ key, wrong, quota, busy refusal }

// refuses reports whether a question is not answered, and says so in the provider's
// form. wrong is what is wrong about the question.
func (f *Fake) refuses(w http.ResponseWriter, authorized bool, wrong string, with refusals, say func(status int, code any)) bool {
	because := func(r refusal) bool { say(r.status, r.code); return true }
	switch {
	case f.Denies == "key", !authorized:
		return because(with.key)
	case wrong != "":
		return because(with.wrong)
	case f.Denies == "quota":
		return because(with.quota)
	case f.Denies == "busy":
		w.Header().Set("Retry-After", "7")
		return because(with.busy)
	}
	return false
}

// bearer reports whether the key is shown as most want it.
func (f *Fake) bearer(r *http.Request) bool { return r.Header.Get("Authorization") == "Bearer "+f.Key }

func (f *Fake) tavily(w http.ResponseWriter, r *http.Request) {
	fail := func(status int, what any) { say(w, status, object{"detail": object{"error": what}}) }
	body, wrong := form{fields: map[string]func(any) bool{
		"query": text(400), "max_results": number(0, 20), "search_depth": either("basic", "advanced", "fast", "ultra-fast"),
	}, required: []string{"query"}}.posted(r, "/search")
	if f.refuses(w, f.bearer(r), wrong, refusals{key: refusal{401, "Unauthorized: missing or invalid API key."}, wrong: refusal{400, wrong}, quota: refusal{432, "over the plan's limit"}, busy: refusal{429, "too many requests"}}, fail) {
		return
	}
	say(w, 200, object{
		"query": body["query"], "follow_up_questions": nil, "answer": nil, "images": []any{}, "response_time": 0.4, "request_id": "r",
		"results": f.shown(body["query"].(string), count(body["max_results"], 5), func(p Page) object {
			o := object{"title": p.Title, "url": p.URL, "content": p.Text, "score": 0.9, "raw_content": nil}
			if p.Date != "" {
				o["published_date"] = p.Date
			}
			return o
		}),
	})
}

func count(v any, usual int) int {
	if n, ok := v.(float64); ok {
		return int(n)
	}
	return usual
}

func (f *Fake) brave(w http.ResponseWriter, r *http.Request) {
	fail := func(status int, code string) {
		say(w, status, object{"type": "ErrorResponse", "id": "x", "time": 1, "error": object{"id": "x", "status": status, "code": code, "detail": "no"}})
	}
	q := r.URL.Query()
	query := q.Get("q")
	n, err := strconv.Atoi(q.Get("count"))
	known := true
	for name := range q {
		known = known && slices.Contains([]string{"q", "count", "offset", "country", "search_lang", "result_filter", "text_decorations"}, name)
	}
	switch {
	case f.Denies == "key", r.Header.Get("X-Subscription-Token") != f.Key:
		fail(422, "SUBSCRIPTION_TOKEN_INVALID")
	case r.URL.Path != "/res/v1/web/search" || r.Method != http.MethodGet:
		fail(404, "NOT_FOUND")
	case query == "" || utf8.RuneCountInString(query) > 400 || len(strings.Fields(query)) > 50 || err != nil || n < 1 || n > 20 || !known || r.Header.Get("Accept") != "application/json":
		fail(422, "VALIDATION")
	case f.Denies == "quota":
		fail(429, "QUOTA_LIMITED")
	case f.Denies == "busy":
		w.Header().Set("X-RateLimit-Reset", "7, 1419704")
		fail(429, "RATE_LIMITED")
	default:
		out := object{"type": "search", "query": object{"original": query}}
		found := f.shown(query, n, func(p Page) object {
			o := object{"title": p.Title, "url": p.URL, "description": p.Text, "family_friendly": true}
			if p.Date != "" {
				o["page_age"], o["age"] = p.Date, "3 days ago"
			}
			return o
		})
		if len(found) > 0 { // absent otherwise
			out["web"] = object{"type": "search", "results": found}
		}
		say(w, 200, out)
	}
}

func (f *Fake) exa(w http.ResponseWriter, r *http.Request) {
	fail := func(status int, tag any) {
		say(w, status, object{"requestId": "x", "error": "no", "tag": tag})
	}
	contents := func(v any) bool {
		o, ok := v.(object)
		t, has := o["text"].(object)
		return ok && has && len(o) == 1 && len(t) == 1 && number(1, 100_000)(t["maxCharacters"])
	}
	body, wrong := form{fields: map[string]func(any) bool{
		"query": text(10_000), "numResults": number(1, 100), "type": either("auto", "fast", "instant", "deep"), "contents": contents,
	}, required: []string{"query"}}.posted(r, "/search")
	if f.refuses(w, r.Header.Get("X-Api-Key") == f.Key, wrong, refusals{key: refusal{401, "INVALID_API_KEY"}, wrong: refusal{400, "INVALID_REQUEST_BODY"}, quota: refusal{402, "NO_MORE_CREDITS"}, busy: refusal{429, "RATE_LIMITED"}}, fail) {
		return
	}
	say(w, 200, object{"requestId": "x", "resolvedSearchType": "neural", "results": f.shown(body["query"].(string), count(body["numResults"], 10), func(p Page) object {
		return object{"id": p.URL, "title": orNull(p.Title), "url": p.URL, "text": p.Text, "publishedDate": orNull(p.Date), "author": nil}
	})})
}

// searxng has no key: who reaches it may ask it.
func (f *Fake) searxng(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	switch {
	case r.URL.Path != "/search" || r.Method != http.MethodGet:
		http.Error(w, "<!DOCTYPE html><title>404</title>", http.StatusNotFound)
	case f.Denies == "key" || f.Denies == "format" || q.Get("format") != "json":
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusForbidden)
		_, _ = fmt.Fprint(w, "<!doctype html><title>403 Forbidden</title>")
	case q.Get("q") == "":
		say(w, 400, object{"error": "No query"})
	case f.Denies == "busy":
		w.Header().Set("Content-Type", "text/plain")
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusTooManyRequests)
	case f.Denies == "engines":
		say(w, 200, object{"query": q.Get("q"), "number_of_results": 0, "results": []any{}, "unresponsive_engines": [][]string{{"one", "timeout"}}})
	default:
		say(w, 200, object{
			"query": q.Get("q"), "number_of_results": len(f.Pages), "answers": []any{}, "suggestions": []any{}, "unresponsive_engines": []any{},
			"results": f.shown(q.Get("q"), len(f.Pages), func(p Page) object { // it takes no count
				return object{"title": p.Title, "url": p.URL, "content": p.Text, "publishedDate": orNull(p.Date), "engine": "one", "score": 1.0}
			}),
		})
	}
}

func (f *Fake) bocha(w http.ResponseWriter, r *http.Request) {
	fail := func(status int, code any) { say(w, status, object{"code": code, "message": "no", "log_id": "x"}) }
	body, wrong := form{fields: map[string]func(any) bool{
		"query": text(2000), "count": number(1, 50), "summary": truth, "freshness": either("noLimit", "oneDay", "oneWeek", "oneMonth", "oneYear"), "page": number(1, 100),
	}, required: []string{"query"}}.posted(r, "/v1/web-search")
	if f.refuses(w, f.bearer(r), wrong, refusals{key: refusal{401, "401"}, wrong: refusal{400, "400"}, quota: refusal{403, "403"}, busy: refusal{200, 429}}, fail) { // it also says so with status 200
		return
	}
	say(w, 200, object{"code": 200, "log_id": "x", "msg": nil, "data": object{
		"_type": "SearchResponse", "queryContext": object{"originalQuery": body["query"]}, "images": nil,
		"webPages": object{"value": f.shown(body["query"].(string), count(body["count"], 10), func(p Page) object {
			return object{"name": p.Title, "url": p.URL, "snippet": p.Text, "summary": orNull(p.Text), "datePublished": orNull(p.Date), "siteName": "x"}
		})},
	}})
}

func (f *Fake) glm(w http.ResponseWriter, r *http.Request) {
	fail := func(status int, code any) {
		say(w, status, object{"error": object{"code": code, "message": "no"}})
	}
	body, wrong := form{fields: map[string]func(any) bool{
		"search_query": text(70), "count": number(1, 50), "search_intent": truth,
		"search_engine": either("search_std", "search_pro", "search_pro_sogou", "search_pro_quark"),
	}, required: []string{"search_query", "search_engine", "search_intent"}}.posted(r, "/api/paas/v4/web_search")
	if f.refuses(w, f.bearer(r), wrong, refusals{key: refusal{401, "1002"}, wrong: refusal{400, "1214"}, quota: refusal{429, "1113"}, busy: refusal{429, "1302"}}, fail) {
		return
	}
	say(w, 200, object{"id": "x", "created": 1, "request_id": "x", "search_intent": []any{}, "search_result": f.shown(body["search_query"].(string), count(body["count"], 10), func(p Page) object {
		return object{"title": p.Title, "link": p.URL, "content": p.Text, "publish_date": p.Date, "media": "", "icon": "", "refer": "ref_1"}
	})})
}

var _ http.Handler = (*Fake)(nil)
