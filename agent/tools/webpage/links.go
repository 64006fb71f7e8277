package webpage

import (
	"bytes"
	"net/url"
	"strings"

	"golang.org/x/net/html"
)

// links gives the addresses of the same site that a page leads to, each once.
func links(base *url.URL, page []byte) []string {
	var out []string
	seen := map[string]bool{}
	tokens := html.NewTokenizer(bytes.NewReader(page))
	for room := maxLinksSize; room > 0 && len(out) < maxLinks; {
		kind := tokens.Next()
		if kind == html.ErrorToken {
			break
		}
		if kind != html.StartTagToken && kind != html.SelfClosingTagToken {
			continue
		}
		name, more := tokens.TagName()
		if string(name) != "a" && string(name) != "area" {
			continue
		}
		for more {
			var key, value []byte
			key, value, more = tokens.TagAttr()
			if string(key) != "href" || len(value) > maxLink {
				continue
			}
			to, err := base.Parse(strings.TrimSpace(string(value)))
			if err != nil || !strings.EqualFold(to.Host, base.Host) {
				continue
			}
			to.Fragment = ""
			if address := to.String(); !seen[address] {
				seen[address] = true
				out = append(out, address)
				room -= len(address)
			}
		}
	}
	return out
}
