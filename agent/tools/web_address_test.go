package tools

import (
	"net/netip"
	"testing"
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
		if a, err := netip.ParseAddr(u.Hostname()); err == nil && !publicAddress(a) {
			t.Fatalf("webAddress(%q) lets %v through", text, a)
		}
	})
}

func FuzzHostsIn(f *testing.F) {
	f.Add("see https://example.org/x and a.b.c, 例子.中国")
	f.Fuzz(func(t *testing.T, message string) {
		for host := range hostsIn(message) {
			if back, err := webHost(host); err != nil || back != host {
				t.Fatalf("hostsIn(%q) has %q, which is %q, %v", message, host, back, err)
			}
		}
	})
}
