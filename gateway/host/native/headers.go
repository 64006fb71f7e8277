package native

import (
	"net/http"
	"net/textproto"
	"slices"
	"strings"
)

// setAll sets headers, in place of those of the same names.
func setAll(dst, src http.Header) {
	for name, v := range src {
		dst[name] = v
	}
}

// setEndToEnd sets headers but for those of one connection (RFC 9110, 7.6.1) and drop.
func setEndToEnd(dst, src http.Header, drop []string) {
	options := connectionOptions(src)
	for name, v := range src {
		if !isHop(name) && !slices.Contains(options, name) && !slices.Contains(drop, name) {
			dst[name] = v
		}
	}
}

// isHop reports whether a header, by its canonical name, is of one connection.
func isHop(name string) bool {
	switch name {
	case "Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection",
		"Te", "Trailer", "Transfer-Encoding", "Upgrade":
		return true
	}
	return false
}

// connectionOptions returns the headers that a message says are of its connection.
func connectionOptions(h http.Header) []string {
	var names []string
	for _, line := range h["Connection"] {
		for name := range strings.SplitSeq(line, ",") {
			names = append(names, textproto.CanonicalMIMEHeaderKey(textproto.TrimString(name)))
		}
	}
	return names
}
