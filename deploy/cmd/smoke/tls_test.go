package main

import (
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/deploy/internal/testenv"
)

// TestOverTLS asks as people do: over https, at a name, behind a proxy of the owner's
// and through one of the asker's network.
func TestOverTLS(t *testing.T) {
	program := filepath.Join(t.TempDir(), "smoke")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for name, trusted := range map[string]string{"a proxy that is trusted": "127.0.0.1", "a proxy that is not": ""} {
		t.Run(name, func(t *testing.T) {
			s := stack(t, func(o *testenv.Options) { o.GatewayEnv["TRUSTED_PROXIES"] = trusted })
			front := ends(t, s.Base)
			ca := filepath.Join(t.TempDir(), "ca.pem")
			if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: front.Certificate().Raw}), 0o600); err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), program, "-address", "https://example.com") // #nosec G204 -- just built
			cmd.Env = append(os.Environ(), tokenVariable+"="+token, "SSL_CERT_FILE="+ca, "HTTPS_PROXY="+tunnel(t, front.Listener.Addr().String()), "NO_PROXY=")
			out, err := cmd.CombinedOutput()
			var ended *exec.ExitError
			if err != nil && !errors.As(err, &ended) {
				t.Fatal(err)
			}
			got := seen{string(out), cmd.ProcessState.ExitCode()}
			want := well
			if trusted == "" {
				want = differs
				got.holds(t, "name that proxy in TRUSTED_PROXIES", ", 1 differ, ")
			}
			if how := got.outcomes(); how[remembersTLS] != want || (got.code == exitWell) != (want == well) || how[chatJSON] != well || how["a chat over WebSocket"] != well {
				t.Errorf("it ended with %d:\n%s", got.code, got.text)
			}
			if strings.Contains(got.text, "example.com") {
				t.Errorf("it printed the address:\n%s", got.text)
			}
		})
	}
}

// ends is what ends TLS before a gateway. Its certificate is good for example.com.
func ends(t *testing.T, base string) *httptest.Server {
	t.Helper()
	to, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewTLSServer(&httputil.ReverseProxy{FlushInterval: -1, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = r.In.Host
		r.SetXForwarded()
	}})
	t.Cleanup(s.Close)
	return s
}

// tunnel is a proxy that takes every name to one address.
func tunnel(t *testing.T, addr string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect {
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		out, err := net.Dial("tcp", addr)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer func() { _ = out.Close() }()
		in, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer func() { _ = in.Close() }()
		_, _ = in.Write([]byte("HTTP/1.1 200 OK\r\n\r\n"))
		go func() { _, _ = io.Copy(out, buffered) }()
		_, _ = io.Copy(in, out)
	}))
	t.Cleanup(s.Close)
	return s.URL
}
