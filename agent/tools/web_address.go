package tools

import (
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"github.com/loongclaw/loongclaw/agent/outbound"
	"github.com/loongclaw/loongclaw/pkg/plain"
)

// insideNames are names that mean this machine or its network.
var insideNames = []string{"localhost", "local", "internal", "intranet", "lan", "home", "corp", "private", "home.arpa", "localdomain", "in-addr.arpa", "ip6.arpa", "onion", "test", "invalid", "example"}

// endsInNumber matches hosts that browsers read as IPv4 addresses in any form:
// 0x7f.1, 2130706433, 127.1, 0177.0.0.1.
var endsInNumber = regexp.MustCompile(`(?i)(^|\.)(\d+|0x[0-9a-f]*)\.?$`)

// hostName is a name of labels as the name system has them.
var hostName = regexp.MustCompile(`^([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$`)

// webAddress reads the address of a page. It refuses every form that two parsers
// could read differently.
func webAddress(text string) (*url.URL, error) {
	text = strings.TrimSpace(text)
	if len(text) > 2048 {
		return nil, failed("the address is longer than 2048 bytes")
	}
	if strings.ContainsAny(text, " \t\n\\") {
		return nil, failed("the address has a space or a backslash; write a space as %%20")
	}
	if r, at := plain.Hidden(text); at >= 0 {
		return nil, failed("the address has the character %U, which cannot be seen; leave it out", r)
	}
	u, err := url.Parse(text)
	if err != nil {
		return nil, failed("that is not the address of a web page; write it as https://example.org/page")
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return nil, failed("only http and https addresses can be fetched")
	}
	if u.User != nil {
		return nil, failed("an address with a user name or password in it is not fetched")
	}
	if port := u.Port(); port != "" && port != "80" && port != "443" && port != "8080" && port != "8443" || strings.HasSuffix(u.Host, ":") {
		return nil, failed("only the ports 80, 443, 8080 and 8443 can be fetched from")
	}
	host, err := webHost(u.Hostname())
	if err != nil {
		return nil, err
	}
	if port := u.Port(); port != "" {
		u.Host = joinPort(host, port)
	} else {
		u.Host = joinPort(host, "")
	}
	u.Fragment = ""
	// In its one form an address is ASCII, so that a question shows it to the letter.
	u.RawQuery = asciiQuery(u.RawQuery)
	return u, nil
}

// asciiQuery escapes what is not ASCII in a query; what is stays as it was.
func asciiQuery(query string) string {
	var b strings.Builder
	for i := range len(query) {
		if c := query[i]; c < utf8.RuneSelf {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

func joinPort(host, port string) string {
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port == "" {
		return host
	}
	return host + ":" + port
}

// webHost gives a host in its one form and refuses what cannot be public.
func webHost(host string) (string, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		if !outbound.Public(a) {
			return "", failed("%s is not a public address; only pages of the public web can be fetched", host)
		}
		return a.Unmap().String(), nil
	}
	ascii, err := idna.Lookup.ToASCII(strings.TrimSuffix(host, "."))
	if err != nil || ascii == "" || strings.ContainsAny(ascii, ":%[]@/") || !hostName.MatchString(strings.ToLower(ascii)) {
		return "", failed("%.80q is not the name of a host", host)
	}
	ascii = strings.ToLower(ascii)
	if again, err := idna.Lookup.ToASCII(ascii); err != nil || again != ascii || !utf8.ValidString(host) {
		return "", failed("%.80q is not the name of a host", host)
	}
	if a, err := netip.ParseAddr(ascii); err == nil { // digits of another script
		return "", failed("the host is an address in an unusual form; write it as %s", a)
	}
	if endsInNumber.MatchString(ascii) {
		return "", failed("%.80q is an address in an unusual form, which is not fetched", host)
	}
	if !strings.Contains(ascii, ".") {
		return "", failed("%.80q is a name of the local network; only pages of the public web can be fetched", host)
	}
	for _, inside := range insideNames {
		if strings.HasSuffix(ascii, "."+inside) {
			return "", failed("%.80q is a name of the local network; only pages of the public web can be fetched", host)
		}
	}
	return ascii, nil
}

// allowedHost reports whether host is one of hosts, with or without "www.".
func allowedHost(host string, hosts map[string]bool) bool {
	bare := strings.TrimPrefix(host, "www.")
	return hosts[host] || hosts[bare] || hosts["www."+bare]
}

// CheckPublicHost refuses a host that cannot be one of the public internet.
func CheckPublicHost(host string) error {
	_, err := webHost(host)
	return err
}
