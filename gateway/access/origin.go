package access

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Origins are the web origins that may call from a browser, as browsers write
// them.
type Origins []string

// ParseOrigins reads ALLOWED_ORIGINS: origins separated by commas. The error
// joins every fault.
func ParseOrigins(s string) (Origins, error) {
	var all Origins
	var faults []error
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		o, err := parseOrigin(part)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		all = append(all, o)
	}
	return all, errors.Join(faults...)
}

func parseOrigin(s string) (string, error) {
	if s == "*" {
		return "", errors.New("* would let every page on the web act for your users; list exact origins such as https://app.example.com")
	}
	u, err := url.Parse(strings.TrimSuffix(s, "/"))
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.User != nil ||
		u.Path != "" || u.RawQuery != "" || u.Fragment != "" || strings.Contains(u.Host, "*") {
		return "", fmt.Errorf("%q is not an origin; write scheme and host only, such as https://app.example.com", s)
	}
	return u.Scheme + "://" + hostPort(u.Scheme, u.Host), nil
}

// ParsePublicURL reads PUBLIC_URL, the address under which people reach the gateway:
// scheme and host alone, since the gateway lives at the root. It is empty where
// nothing is said. The error repeats nothing, as a credential may stand in it.
func ParsePublicURL(s string) (string, error) {
	if s == "" {
		return "", nil
	}
	public, err := parseOrigin(s)
	if err != nil {
		return "", errors.New("is not the address of a gateway; write scheme and host only, such as https://ai.example.com")
	}
	return public, nil
}

// Has reports whether an Origin header is on the list.
func (os Origins) Has(origin string) bool { return slices.Contains(os, origin) }

// SameHost reports whether an Origin header names the host that was asked. The
// scheme is not compared: behind a proxy that ends TLS this side does not know
// it, and one host does not serve two parties.
func SameHost(origin, host string) bool {
	scheme, rest, ok := strings.Cut(origin, "://")
	if !ok || host == "" || strings.ContainsAny(rest, "/?#@") {
		return false
	}
	return hostPort(scheme, rest) == hostPort(scheme, host)
}

// LostPort reports whether an origin would name the host, had that a port: proxies
// that pass the name alone are told apart from foreign pages by this.
func LostPort(origin, host string) bool {
	scheme, rest, _ := strings.Cut(origin, "://")
	name, port, err := net.SplitHostPort(rest)
	return err == nil && port != "" && SameHost(scheme+"://"+bracketed(name), host)
}

// WithPort returns a host with the port at which a trusted proxy says that its
// clients see it, where the host has none. The schemes' own ports say nothing: what
// ends TLS may stand before that proxy.
func WithPort(host, port string) string {
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 || n == 80 || n == 443 || host == "" {
		return host
	}
	if _, _, err := net.SplitHostPort(host); err == nil {
		return host
	}
	return bracketed(strings.Trim(host, "[]")) + ":" + strconv.FormatUint(n, 10)
}

// bracketed is a name or address as it stands before a port.
func bracketed(name string) string {
	if strings.Contains(name, ":") {
		return "[" + name + "]"
	}
	return name
}

// hostPort is a host as browsers write it in an origin: lower case, without the
// scheme's own port.
func hostPort(scheme, host string) string {
	host = strings.ToLower(host)
	switch scheme {
	case "https":
		return strings.TrimSuffix(host, ":443")
	case "http":
		return strings.TrimSuffix(host, ":80")
	}
	return host
}
