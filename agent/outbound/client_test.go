package outbound_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/agent/outbound"
)

func TestWhatIsDialled(t *testing.T) {
	names := map[string][]string{
		"public.example": {"93.184.216.34"}, "inside.example": {"10.0.0.1"}, "mixed.example": {"93.184.216.34", "127.0.0.1"}, "none.example": {},
	}
	for _, c := range []struct {
		url, private string
		dialled      bool
	}{
		{"http://public.example/", "", true},
		{"https://public.example/", "", true},
		{"http://93.184.216.34/", "", true},
		{"http://inside.example/", "", false},
		{"http://mixed.example/", "", false},
		{"http://none.example/", "", false},
		{"http://127.0.0.1/", "", false},
		{"http://[::1]/", "", false},
		{"http://[::ffff:127.0.0.1]/", "", false},
		// What the owner named, with its port and no other.
		{"http://inside.example/", "inside.example:80", true},
		{"http://INSIDE.example/", "inside.example:80", true},
		{"https://inside.example/", "inside.example:443", true},
		{"https://inside.example/", "inside.example:80", false},
		{"http://inside.example:8080/", "inside.example:80", false},
		{"http://inside.example/", "Inside.Example:80", true},
		{"http://127.0.0.1:8080/", "127.0.0.1:8080", true},
		{"http://127.0.0.1:8081/", "127.0.0.1:8080", false},
		{"http://[::1]:8080/", "[::1]:8080", true},
		{"http://x.inside.example/", "inside.example:80", false},
	} {
		dialled := false
		client := outbound.New(outbound.Config{
			Private: strings.Fields(c.private),
			Resolve: func(_ context.Context, host string) (out []netip.Addr, err error) {
				for _, a := range names[strings.ToLower(host)] {
					out = append(out, netip.MustParseAddr(a))
				}
				return out, nil
			},
			Dial: func(context.Context, string, string) (net.Conn, error) {
				dialled = true
				return nil, errors.New("nobody is there")
			},
		})
		response, err := client.Get(c.url)
		if err == nil {
			_ = response.Body.Close()
			t.Errorf("%s answered", c.url)
		}
		if dialled != c.dialled {
			t.Errorf("%s with %q named: dialled is %v: %v", c.url, c.private, dialled, err)
		}
	}
}

func TestNoRedirectIsFollowed(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked++; asked == 1 {
			http.Redirect(w, r, "/again", http.StatusFound)
		}
	}))
	defer server.Close()
	response, err := outbound.New(outbound.Config{Private: []string{strings.TrimPrefix(server.URL, "http://")}}).Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusFound || asked != 1 {
		t.Errorf("got %d after %d requests", response.StatusCode, asked)
	}
}

func TestRead(t *testing.T) {
	for size, fits := range map[int]bool{0: true, 9: true, 10: true, 11: false, 1 << 20: false} {
		body, err := outbound.Read(strings.NewReader(strings.Repeat("x", size)), 10)
		if fits != (err == nil) || fits && len(body) != size || !fits && !errors.Is(err, outbound.ErrTooLarge) {
			t.Errorf("%d bytes: %d, %v", size, len(body), err)
		}
	}
}
