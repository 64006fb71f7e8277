package websearch

import (
	"encoding/json"
	"html"
	"net/url"
	"strconv"
	"strings"
)

// found is what a provider said of one page, before anything of it is believed.
type found struct{ title, url, snippet, date string }

// vendor is how one provider is asked, and what its answer means.
type vendor struct {
	// ask returns the body of a POST or the query of a GET.
	ask func(text string, count int) any
	// read returns the results of an answer with status 200, or the error that stands
	// in it.
	read func(body []byte) ([]found, error)
	// fault returns what an answer of another status means, where that says more than
	// the status; nil where it does not.
	fault func(status int, body []byte) *Error
}

// maxText is how much of a page's text is asked for, where a provider lets one say it.
const maxText = 1000

var vendors = map[string]vendor{
	"tavily":  {ask: askTavily, read: readTavily, fault: statusOnly},
	"brave":   {ask: askBrave, read: readBrave, fault: faultOfBrave},
	"exa":     {ask: askExa, read: readExa, fault: statusOnly},
	"searxng": {ask: askSearXNG, read: readSearXNG, fault: faultOfSearXNG},
	"bocha":   {ask: askBocha, read: readBocha, fault: faultOfBocha},
	"glm":     {ask: askGLM, read: readGLM, fault: faultOfGLM},
}

func statusOnly(int, []byte) *Error { return nil }

func askTavily(text string, count int) any {
	return map[string]any{"query": text, "max_results": count, "search_depth": "basic"}
}

func readTavily(body []byte) ([]found, error) {
	var a struct {
		Results []struct {
			Title   string `json:"title"`
			URL     string `json:"url"`
			Content string `json:"content"`
			Date    string `json:"published_date"`
		} `json:"results"`
	}
	if err := strict(body, &a, "results"); err != nil {
		return nil, err
	}
	out := make([]found, len(a.Results))
	for i, r := range a.Results {
		out[i] = found{r.Title, r.URL, r.Content, r.Date}
	}
	return out, nil
}

func askBrave(text string, count int) any {
	return url.Values{"q": {text}, "count": {strconv.Itoa(count)}, "result_filter": {"web"}, "text_decorations": {"false"}}
}

// decorations are what Brave puts around the words of the query in spite of being
// asked not to, in some plans.
var decorations = strings.NewReplacer("<strong>", "", "</strong>", "")

func readBrave(body []byte) ([]found, error) {
	var a struct {
		Web struct {
			Results []struct {
				Title       string `json:"title"`
				URL         string `json:"url"`
				Description string `json:"description"`
				Date        string `json:"page_age"`
			} `json:"results"`
		} `json:"web"` // absent where nothing was found
	}
	if err := strict(body, &a, "query"); err != nil {
		return nil, err
	}
	out := make([]found, len(a.Web.Results))
	for i, r := range a.Web.Results {
		plain := func(s string) string { return html.UnescapeString(decorations.Replace(s)) }
		out[i] = found{plain(r.Title), r.URL, plain(r.Description), r.Date}
	}
	return out, nil
}

// faultOfBrave knows that a wrong key is 422 there, as a wrong query is.
func faultOfBrave(_ int, body []byte) *Error {
	var a struct {
		Error struct {
			Code string `json:"code"`
		} `json:"error"`
	}
	_ = json.Unmarshal(body, &a) // what cannot be read says nothing
	switch a.Error.Code {
	case "SUBSCRIPTION_TOKEN_INVALID", "SUBSCRIPTION_NOT_FOUND", "RESOURCE_NOT_ALLOWED":
		return &Error{Kind: KindKey}
	case "QUOTA_LIMITED":
		return &Error{Kind: KindQuota}
	}
	return nil
}

func askExa(text string, count int) any {
	return map[string]any{"query": text, "numResults": count, "type": "auto", "contents": map[string]any{"text": map[string]any{"maxCharacters": maxText}}}
}

func readExa(body []byte) ([]found, error) {
	var a struct {
		Results []struct {
			Title string `json:"title"`
			URL   string `json:"url"`
			Text  string `json:"text"`
			Date  string `json:"publishedDate"`
		} `json:"results"`
	}
	if err := strict(body, &a, "results"); err != nil {
		return nil, err
	}
	out := make([]found, len(a.Results))
	for i, r := range a.Results {
		out[i] = found{r.Title, r.URL, r.Text, r.Date}
	}
	return out, nil
}

func askSearXNG(text string, _ int) any {
	return url.Values{"q": {text}, "format": {"json"}}
}

func readSearXNG(body []byte) ([]found, error) {
	var a struct {
		Results []struct {
			Title   string `json:"title"`
			URL     string `json:"url"`
			Content string `json:"content"`
			Date    string `json:"publishedDate"`
		} `json:"results"`
		Unresponsive []any `json:"unresponsive_engines"`
	}
	if err := strict(body, &a, "results"); err != nil {
		return nil, err
	}
	if len(a.Results) == 0 && len(a.Unresponsive) > 0 {
		return nil, &Error{Kind: KindEngines}
	}
	out := make([]found, len(a.Results))
	for i, r := range a.Results {
		out[i] = found{r.Title, r.URL, r.Content, r.Date}
	}
	return out, nil
}

// faultOfSearXNG knows that an instance refuses the formats that its settings do
// not list.
func faultOfSearXNG(status int, _ []byte) *Error {
	if status == 403 {
		return &Error{Kind: KindFormat}
	}
	return nil
}

func askBocha(text string, count int) any {
	return map[string]any{"query": text, "count": count, "summary": true, "freshness": "noLimit"}
}

func readBocha(body []byte) ([]found, error) {
	var a struct {
		Data struct {
			WebPages struct {
				Value []struct {
					Name    string `json:"name"`
					URL     string `json:"url"`
					Snippet string `json:"snippet"`
					Summary string `json:"summary"`
					Date    string `json:"datePublished"`
				} `json:"value"`
			} `json:"webPages"`
		} `json:"data"`
	}
	if e := faultOfBocha(200, body); e != nil { // it says so with status 200, too
		return nil, e
	}
	if err := strict(body, &a, "data"); err != nil {
		return nil, err
	}
	out := make([]found, len(a.Data.WebPages.Value))
	for i, r := range a.Data.WebPages.Value {
		text := r.Summary
		if text == "" {
			text = r.Snippet
		}
		out[i] = found{r.Name, r.URL, text, r.Date}
	}
	return out, nil
}

// faultOfBocha reads the code in the body, a number or a text.
func faultOfBocha(_ int, body []byte) *Error {
	var a struct {
		Code any `json:"code"`
	}
	_ = json.Unmarshal(body, &a) // what cannot be read says nothing
	code := 0
	switch c := a.Code.(type) {
	case float64:
		code = int(c)
	case string:
		code, _ = strconv.Atoi(c)
	}
	switch {
	case code == 403: // the balance is used up
		return &Error{Kind: KindQuota}
	case code >= 400:
		return ofStatus(code)
	}
	return nil
}

func askGLM(text string, count int) any {
	return map[string]any{"search_query": text, "search_engine": "search_std", "search_intent": false, "count": count}
}

func readGLM(body []byte) ([]found, error) {
	var a struct {
		Results []struct {
			Title   string `json:"title"`
			Link    string `json:"link"`
			Content string `json:"content"`
			Date    string `json:"publish_date"`
		} `json:"search_result"`
	}
	if e := faultOfGLM(200, body); e != nil {
		return nil, e
	}
	if err := strict(body, &a, "search_result"); err != nil {
		return nil, err
	}
	out := make([]found, len(a.Results))
	for i, r := range a.Results {
		out[i] = found{r.Title, r.Link, r.Content, r.Date}
	}
	return out, nil
}

// faultOfGLM reads its own codes: an account without money is 429 there, too.
func faultOfGLM(_ int, body []byte) *Error {
	var a struct {
		Error struct {
			Code any `json:"code"`
		} `json:"error"`
	}
	_ = json.Unmarshal(body, &a) // what cannot be read says nothing
	code, _ := a.Error.Code.(string)
	switch code {
	case "1000", "1001", "1002", "1003", "1004":
		return &Error{Kind: KindKey}
	case "1110", "1111", "1112", "1113", "1308", "1309", "1310":
		return &Error{Kind: KindQuota}
	case "1302", "1303", "1305", "1701":
		return &Error{Kind: KindBusy}
	case "1702", "1703":
		return &Error{Kind: KindFailed}
	}
	return nil
}

// strict reads an answer that must be an object with the field that every answer of
// the provider has.
func strict(body []byte, into any, field string) error {
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) != nil || fields[field] == nil || json.Unmarshal(body, into) != nil {
		return &Error{Kind: KindOdd}
	}
	return nil
}
