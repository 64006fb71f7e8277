package tools

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/agent/outbound"
)

func FuzzWebAddress(f *testing.F) {
	for _, s := range []string{"http://example.org/", "https://[::1]/", "http://0x7f.1/", "http://①②⑦.0.0.1", "http://a@b", "http://例子.中国"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		u, err := webAddress(text)
		if err != nil {
			return
		}
		again, err := webAddress(u.String())
		if err != nil || again.String() != u.String() {
			t.Fatalf("webAddress(%q) = %q, which reads as %v, %v", text, u, again, err)
		}
		if a, err := netip.ParseAddr(u.Hostname()); err == nil && !outbound.Public(a) {
			t.Fatalf("webAddress(%q) lets %v through", text, a)
		}
	})
}

func FuzzAddressesIn(f *testing.F) {
	f.Add("see https://example.org/x?a=b, www.b.c and a@www.d.e, http://例子.中国")
	f.Fuzz(func(t *testing.T, message string) {
		n := addressesIn(message)
		for site := range n.sites {
			host := site[:strings.LastIndexByte(site, ':')]
			if back, err := webHost(host); err != nil || back != host {
				t.Fatalf("addressesIn(%q) has %q, which is %q, %v", message, host, back, err)
			}
		}
		if len(n.sites) > 0 && !strings.Contains(asciiLower(message), "//") && !strings.Contains(asciiLower(message), "www.") {
			t.Fatalf("addressesIn(%q) = %v, without an address", message, n.sites)
		}
	})
}
