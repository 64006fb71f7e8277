package access

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
)

// FuzzTokens: what is read has users and scopes that are safe anywhere, and no
// error repeats a token.
func FuzzTokens(f *testing.F) {
	const secret = "a-secret-0123456789"
	f.Add("alice:" + secret + ",bob:" + secret + "2:read+chat")
	f.Add("alice:" + secret + ":" + secret + ", :x,,熊:short")
	f.Fuzz(func(t *testing.T, text string) {
		all, err := ParseTokens(text)
		for _, token := range all {
			if checkUser(token.User) != nil || len(token.Scopes) == 0 || strings.ContainsAny(token.User, "/\\: \n\x00") {
				t.Errorf("%q gives %+v", text, token.Identity)
			}
		}
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("the error repeats a token: %v", err)
		}
	})
}

// FuzzOrigins: what is listed is an origin as browsers write it, and one origin is
// never another's host.
func FuzzOrigins(f *testing.F) {
	f.Add("https://app.example.com, http://localhost:3000/", "https://gw.example.com", "gw.example.com:443")
	f.Add("*", "null", "localhost")
	f.Add("https://u@h/?#", "https://a.example@b.example", "b.example")
	f.Fuzz(func(t *testing.T, list, origin, host string) {
		all, _ := ParseOrigins(list)
		for _, o := range all {
			scheme, rest, ok := strings.Cut(o, "://")
			if !ok || (scheme != "https" && scheme != "http") || rest == "" || strings.ContainsAny(rest, "/?#@*, ") {
				t.Errorf("%q gives the origin %q", list, o)
			}
		}
		if SameHost(origin, host) {
			_, rest, _ := strings.Cut(origin, "://")
			if !strings.HasPrefix(strings.ToLower(rest), strings.ToLower(strings.TrimSuffix(strings.TrimSuffix(host, ":443"), ":80"))) || strings.ContainsAny(rest, "/?#@") {
				t.Errorf("%q is taken for the host %q", origin, host)
			}
		}
	})
}

// FuzzClient: an address is only another's when a trusted proxy says so, and every
// address has one key.
func FuzzClient(f *testing.F) {
	f.Add("10.0.0.0/8, ::1", "10.0.0.1:80", "1.2.3.4, 10.0.0.2")
	f.Add("", "[fe80::1%eth0]:80", "::ffff:1.2.3.4")
	f.Add("0.0.0.0/0", "1.2.3.4", "x,,")
	f.Fuzz(func(t *testing.T, list, peer, forwarded string) {
		proxies, _ := ParseProxies(list)
		addr, trusted := proxies.Client(peer, http.Header{"X-Forwarded-For": {forwarded}})
		if !trusted && addr != ParseAddr(peer) {
			t.Errorf("%q from %q is %s, and %q does not trust it", forwarded, peer, addr, list)
		}
		if key := AddrKey(addr); key == "" || strings.ContainsAny(key, "% \n") {
			t.Errorf("%s has the key %q", addr, key)
		}
		if addr.Is4In6() {
			t.Errorf("%s has two forms", addr)
		}
	})
}

// FuzzHosts: only loopback's own names are this machine.
func FuzzHosts(f *testing.F) {
	for _, host := range []string{"localhost:80", "a.localhost", "[::1]:8787", "127.0.0.1", "127.1", "0x7f.1", "localhost.example.com", "::ffff:127.0.0.1", "[localhost]"} {
		f.Add(host)
	}
	f.Fuzz(func(t *testing.T, host string) {
		_, _ = accessOrigin(host)
		if !IsLoopbackHost(host) {
			return
		}
		name := strings.ToLower(host)
		if i := strings.LastIndex(name, ":"); i > strings.LastIndex(name, "]") && strings.Count(name, ":") == 1 || i > 0 && name[i-1] == ']' {
			name = name[:i]
		}
		name = strings.Trim(name, "[]")
		if a, err := netip.ParseAddr(name); (err != nil || !a.Unmap().IsLoopback()) && name != "localhost" && !strings.HasSuffix(name, ".localhost") {
			t.Errorf("%q is taken for this machine", host)
		}
	})
}
