package tools

import (
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"github.com/loongclaw/loongclaw/pkg/plain"
)

// reserved are the networks that no page of the web is in, beside those that
// netip knows by name: RFC 6890 and its successors.
var reserved = func() []netip.Prefix {
	var out []netip.Prefix
	for _, p := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15",
		"198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
		// Metadata services on public-looking addresses.
		"168.63.129.16/32", "100.100.100.200/32",
		// IPv6 that holds or leads to IPv4, and what is for documentation or benchmarks.
		"2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
	} {
		out = append(out, netip.MustParsePrefix(p))
	}
	return out
}()

var globalIPv6 = netip.MustParsePrefix("2000::/3")

// publicAddress says whether an address is on the public internet.
func publicAddress(a netip.Addr) bool {
	if !a.IsValid() || a.Zone() != "" {
		return false
	}
	a = a.Unmap()
	if a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsMulticast() || a.IsUnspecified() || !a.IsGlobalUnicast() {
		return false
	}
	if a.Is6() && !globalIPv6.Contains(a) {
		return false
	}
	for _, p := range reserved {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

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
		if !publicAddress(a) {
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

// allowedHost says whether host is one of hosts, with or without "www.".
func allowedHost(host string, hosts map[string]bool) bool {
	bare := strings.TrimPrefix(host, "www.")
	return hosts[host] || hosts[bare] || hosts["www."+bare]
}
