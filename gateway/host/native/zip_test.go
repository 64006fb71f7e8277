package native

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

func TestWhoTakesGzip(t *testing.T) {
	for accept, want := range map[string]bool{
		"": false, "gzip": true, "GZIP": true, "x-gzip": true, "br": false, "br, gzip": true, "gzip;q=0": false, "gzip; q=0.000": false, "gzip;q=0.1": true,
		"*": true, "*;q=0": false, "gzip;q=0, *": false, "identity, *;q=0.5": true, "notgzip": false, "gzip;q=x": false, "gzip;q=0, x-gzip": true,
	} {
		if got := takesGzip(http.Header{"Accept-Encoding": {accept}}); got != want {
			t.Errorf("%q: %v, want %v", accept, got, want)
		}
	}
	if !takesGzip(http.Header{"Accept-Encoding": {"br", "gzip"}}) {
		t.Error("on a line of its own it is not seen")
	}
}

// sizes is an agent that answers with what the path says.
func sizes(kind string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.URL.Query().Get("limit"))
		w.Header().Set("Content-Type", kind)
		w.Header().Set("ETag", `"strong"`)
		if r.URL.Query().Has("flush") {
			w.WriteHeader(http.StatusOK)
			_ = http.NewResponseController(w).Flush()
		} else {
			w.Header().Set("Content-Length", strconv.Itoa(n))
		}
		_, _ = io.WriteString(w, strings.Repeat("x", n))
		if r.URL.Query().Has("break") {
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}
	})
}

// unread asks as a client that takes gzip and does not undo it.
func (r *rig) unread(t *testing.T, path string, header ...string) (*http.Response, []byte, error) {
	t.Helper()
	resp := r.open(t, http.MethodGet, path, http.NoBody, append([]string{"Accept-Encoding", "gzip"}, header...)...)
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	return resp, b, err
}

func TestJSONIsCompressed(t *testing.T) {
	for _, how := range []string{"", "&flush"} {
		for kind, compresses := range map[string]bool{
			"application/json": true, "application/json; charset=utf-8": true, "APPLICATION/JSON": true,
			"application/octet-stream": false, "text/event-stream": false, "text/markdown": false, "application/jsonp": false, "": false,
		} {
			r := newRig(t, sizes(kind))
			for _, n := range []int{0, 1, minZip - 1, minZip, minZip + 1, 200_000} {
				resp, b, err := r.unread(t, "/api/sessions?limit="+strconv.Itoa(n)+how)
				want := compresses && n >= minZip
				if got := resp.Header.Get("Content-Encoding") == "gzip"; got != want || err != nil {
					t.Errorf("%s, %d bytes%s: compressed %v (%v), want %v", kind, n, how, got, err, want)
					continue
				}
				plain := b
				if want {
					z, err := gzip.NewReader(bytes.NewReader(b))
					if err != nil {
						t.Fatal(err)
					}
					if plain, err = io.ReadAll(z); err != nil {
						t.Fatal(err)
					}
					if len(b) > n/2 || resp.Header.Get("ETag") != `W/"strong"` {
						t.Errorf("%d bytes became %d, with the tag %s", n, len(b), resp.Header.Get("ETag"))
					}
				}
				if string(plain) != strings.Repeat("x", n) {
					t.Errorf("%s, %d bytes%s: %d other bytes came", kind, n, how, len(plain))
				}
				if got := strings.Join(resp.Header.Values("Vary"), ", "); strings.Contains(got, "Accept-Encoding") != compresses || !strings.Contains(got, "Origin") {
					t.Errorf("%s: Vary is %q", kind, got)
				}
			}
			resp, b, _ := r.unread(t, "/api/sessions?limit=5000"+how, "Accept-Encoding", "gzip;q=0")
			if resp.Header.Get("Content-Encoding") != "" || len(b) != 5000 {
				t.Errorf("%s: a client that takes none is sent %q", kind, resp.Header.Get("Content-Encoding"))
			}
			head, _ := r.do(t, http.MethodHead, "/api/sessions?limit=5000"+how, "", "Accept-Encoding", "gzip")
			if head.Header.Get("Content-Encoding") != "" {
				t.Error("HEAD has a coding and no body")
			}
		}
	}
}

// Half an answer must not look like a whole one because it was compressed.
func TestAnAnswerThatBreaksOffIsNoWholeOne(t *testing.T) {
	r := newRig(t, sizes("application/json"))
	for _, n := range []int{10, 5000} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.url+"/api/sessions?flush&break&limit="+strconv.Itoa(n), http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+aliceToken)
		req.Header.Set("Accept-Encoding", "gzip")
		resp, err := r.client.Do(req)
		var b []byte
		if err == nil {
			b, err = io.ReadAll(resp.Body)
			_ = resp.Body.Close()
		}
		if err == nil {
			z, zerr := gzip.NewReader(bytes.NewReader(b))
			if zerr == nil {
				_, err = io.ReadAll(z)
			}
		}
		if err == nil {
			t.Errorf("%d bytes and no more came, as if that were all", n)
		}
	}
}
