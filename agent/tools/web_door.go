package tools

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
)

// webAnswered stands on what a site answered, and is absent from what the egress proxy
// itself says.
const webAnswered = "X-LoongClaw-Web"

// webEgress fetches pages through an egress proxy at the edge.
type webEgress struct {
	base string
	way  http.RoundTripper
}

// RoundTrip asks the egress proxy for what the request asks for.
func (d webEgress) RoundTrip(r *http.Request) (*http.Response, error) {
	out, err := http.NewRequestWithContext(r.Context(), http.MethodGet, d.base+"/?url="+url.QueryEscape(r.URL.String()), http.NoBody) // #nosec G704 -- always to the egress proxy, which judges where that leads
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"Accept", "User-Agent"} {
		out.Header.Set(name, r.Header.Get(name))
	}
	answer, err := d.way.RoundTrip(out)
	if err != nil || answer.Header.Get(webAnswered) != "" {
		return answer, err
	}
	defer func() { _ = answer.Body.Close() }() // only read from
	var said struct{ Error, Hint string }
	body, err := io.ReadAll(io.LimitReader(answer.Body, 4<<10))
	if err != nil || json.Unmarshal(body, &said) != nil || said.Error == "" {
		return nil, failed("the way to the web is closed (status %d); try again later", answer.StatusCode)
	}
	return nil, failed("%s", said.Error)
}

var _ http.RoundTripper = webEgress{}
