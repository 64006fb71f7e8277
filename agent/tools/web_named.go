package tools

import (
	"net/url"
	"strings"
	"unicode"
)

// named is what a person's message names of the web: only what is written as an
// address counts. A word with a dot may be a file, a version or an e-mail address,
// and nobody who writes one means to open a web site.
type named struct {
	sites map[string]bool // siteKey of each address
	pages map[string]bool // pageKey of each address
}

// maxNamed bounds how many addresses of one message count.
const maxNamed = 200

// addressesIn finds the addresses that a message has.
func addressesIn(message string) named {
	n := named{sites: map[string]bool{}, pages: map[string]bool{}}
	rest := message
	for range maxNamed {
		at, length := nextAddress(rest)
		if length == 0 {
			break
		}
		word := rest[at : at+length]
		for _, text := range readings(word) {
			n.add(text)
		}
		rest = rest[at+length:]
	}
	return n
}

// nextAddress finds where an address begins, with "http://", "https://" or "www."
// at the beginning of a word, and how long it is at most.
func nextAddress(s string) (at, length int) {
	lower := asciiLower(s)
	for from := 0; from < len(s); {
		found := -1
		for _, begin := range []string{"http://", "https://", "www."} {
			if i := strings.Index(lower[from:], begin); i >= 0 && (found < 0 || from+i < found) {
				found = from + i
			}
		}
		if found < 0 {
			return 0, 0
		}
		if found > 0 && joins(s[found-1]) {
			from = found + 1
			continue
		}
		end := strings.IndexFunc(s[found:], endsAddress)
		if end < 0 {
			end = len(s) - found
		}
		return found, end
	}
	return 0, 0
}

// asciiLower lowers A to Z only, so that offsets stay, also in what is no UTF-8.
func asciiLower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// joins reports whether what follows this byte belongs to the same word: such as
// the local part of an e-mail address or a longer scheme.
func joins(b byte) bool {
	return b == '.' || b == '-' || b == '_' || b == '@' || b == '+' || b == '/' || b == '%' ||
		'0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z'
}

func endsAddress(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || strings.ContainsRune("<>\"`\\^{}|", r) ||
		strings.ContainsRune("，。；：！？、（）【】《》〈〉「」『』“”‘’…", r)
}

// readings are the ways in which people mean an address that stands in a text:
// with what follows it, without the marks at its end, and without the writing that
// follows it where words are not parted by spaces.
func readings(word string) []string {
	out := []string{word}
	const marks = `.,;:!?'")]}*_~`
	out = append(out, strings.TrimRight(word, marks))
	if end := strings.IndexFunc(word, func(r rune) bool { return r >= 0x80 }); end > 0 {
		out = append(out, word[:end], strings.TrimRight(word[:end], marks))
	}
	return out
}

func (n named) add(text string) {
	if len(text) >= 4 && strings.EqualFold(text[:4], "www.") {
		text = "https://" + text
	}
	u, err := webAddress(text)
	if err != nil {
		return
	}
	n.sites[siteKey(u)] = true
	n.pages[pageKey(u)] = true
}

// siteKey is the same for what people take for one site: with and without "www.",
// and whichever of http and https.
func siteKey(u *url.URL) string {
	port := u.Port()
	if port == "80" || port == "443" {
		port = ""
	}
	host := u.Hostname()
	if bare, ok := strings.CutPrefix(host, "www."); ok && strings.Contains(bare, ".") {
		host = bare
	}
	return host + ":" + port
}

// pageKey is the same for what people take for one address.
func pageKey(u *url.URL) string {
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	key := siteKey(u) + path
	if u.RawQuery != "" || u.ForceQuery {
		key += "?" + u.RawQuery
	}
	return key
}
