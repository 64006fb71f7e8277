package client

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Expectation is one request, and what its answer must be: a question as data.
type Expectation struct {
	Name string // what holds when the answer is so

	Method, Path string // GET without a method
	Headers      []Header
	Body         any

	Status int
	Code   string            // of the error, where it must be one
	Fields map[string]string // of the JSON body: each is this text, or any where it is empty
	Has    map[string]string // headers: each holds this text, whatever its case
	Lacks  []string          // headers that must not be there
	Holds  string            // a text that the body holds, whatever its case
}

// Difference is what was expected, and what was seen instead.
type Difference struct{ Want, Seen string }

func (d *Difference) Error() string { return "expected " + d.Want + "; seen: " + d.Seen }

// Ask sends the request once. What is not as expected is a *Difference.
func (e Expectation) Ask(ctx context.Context, c *Client) error {
	method := e.Method
	if method == "" {
		method = http.MethodGet
	}
	a, err := c.Do(ctx, method, e.Path, e.Body, e.Headers...)
	if err != nil {
		return err
	}
	return e.Check(a)
}

// Brief is what is expected, in a few words.
func (e Expectation) Brief() string {
	words := []string{strconv.Itoa(e.Status)}
	if e.Code != "" {
		words[0] += " " + e.Code
	}
	for _, name := range slices.Sorted(maps.Keys(e.Fields)) {
		if value := e.Fields[name]; value != "" {
			words = append(words, name+" "+value)
		}
	}
	switch n := len(e.Has); {
	case n > 2:
		words = append(words, strconv.Itoa(n)+" headers")
	default:
		words = append(words, slices.Sorted(maps.Keys(e.Has))...)
	}
	if len(e.Lacks) > 0 {
		words = append(words, "no "+e.Lacks[0])
	}
	return strings.Join(words, ", ")
}

// Check compares an answer with what is expected.
func (e Expectation) Check(a Answer) error {
	if a.Status != e.Status {
		return &Difference{fmt.Sprintf("status %d", e.Status), a.Brief()}
	}
	if code := a.Fault().Code; code != e.Code {
		return &Difference{fmt.Sprintf("the error code %q", e.Code), a.Brief()}
	}
	for _, name := range slices.Sorted(maps.Keys(e.Has)) {
		if got := a.Header.Get(name); got == "" {
			return &Difference{fmt.Sprintf("the header %s with %q", name, e.Has[name]), "no such header"}
		} else if !strings.Contains(strings.ToLower(got), strings.ToLower(e.Has[name])) {
			return &Difference{fmt.Sprintf("the header %s with %q", name, e.Has[name]), got}
		}
	}
	for _, name := range e.Lacks {
		if got, there := a.Header[http.CanonicalHeaderKey(name)]; there {
			return &Difference{"no header " + name, strings.Join(got, ", ")}
		}
	}
	if !strings.Contains(strings.ToLower(string(a.Body)), strings.ToLower(e.Holds)) {
		return &Difference{fmt.Sprintf("%q in the body", e.Holds), a.Brief()}
	}
	return e.fields(a)
}

func (e Expectation) fields(a Answer) error {
	if len(e.Fields) == 0 {
		return nil
	}
	var body map[string]any
	if json.Unmarshal(a.Body, &body) != nil {
		return &Difference{"a JSON object", a.Brief()}
	}
	for _, name := range slices.Sorted(maps.Keys(e.Fields)) {
		want := e.Fields[name]
		got, _ := body[name].(string)
		switch {
		case want == "" && got == "":
			return &Difference{fmt.Sprintf("%q in the body", name), "it is absent or empty"}
		case want != "" && got != want:
			return &Difference{fmt.Sprintf("%q in the body to be %q", name, want), fmt.Sprintf("%.100q", got)}
		}
	}
	return nil
}

// Brief says what kind of answer it is, and nothing of what a user has: the status,
// the error where it is one, else the body's type and length.
func (a Answer) Brief() string {
	out := fmt.Sprintf("status %d", a.Status)
	if f := a.Fault(); f.Code != "" {
		if f.Hint != "" {
			f.Error += " (" + f.Hint + ")"
		}
		return fmt.Sprintf("%s, code %s: %s", out, f.Code, f.Error)
	}
	if a.Status >= 300 && a.Status < 400 {
		return out + ", which leads elsewhere"
	}
	return fmt.Sprintf("%s, %d bytes of %q", out, len(a.Body), a.Header.Get("Content-Type"))
}

// Open is what every deployed gateway answers to those without a credential. It
// wakes no agent.
var Open = []Expectation{
	{Name: "the gateway is healthy", Path: "/health", Status: http.StatusOK, Fields: map[string]string{"status": "ok"}},
	{
		Name: "the page comes, with its policy", Path: "/", Status: http.StatusOK,
		Has:   map[string]string{"Content-Type": "text/html", "Content-Security-Policy": "default-src"},
		Holds: "<html",
	},
	{Name: "nobody comes in without a credential", Path: "/api/sessions", Status: http.StatusUnauthorized, Code: "unauthorized"},
}
