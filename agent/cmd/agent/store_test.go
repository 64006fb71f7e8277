package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/loongclaw/loongclaw/pkg/pass"
)

// onS3 is the configuration of an agent on an S3 server in this process.
// without names a request header that the server ignores.
func onS3(t *testing.T, without string) config {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket("bucket"); err != nil {
		t.Fatal(err)
	}
	s3 := gofakes3.New(backend).Server()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Del(without)
		s3.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	for k, v := range map[string]string{
		"STORE": "r2:bucket", "R2_ENDPOINT": server.URL, "R2_ACCESS_KEY_ID": "key", "R2_SECRET_ACCESS_KEY": "canary-secret",
		"PASS_PUBLIC_KEYS": pass.FormatPublic(make([]byte, 32)),
	} {
		t.Setenv(k, v)
	}
	c, err := load()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCheckRefusesAStoreWithoutConditions(t *testing.T) {
	for _, header := range []string{"If-None-Match", "If-Match"} {
		err := check(t.Context(), onS3(t, header), io.Discard)
		if err == nil {
			t.Errorf("a store that ignores %s is let in", header)
			continue
		}
		for _, want := range []string{"does not keep " + header, "overwrite each other", "Next: ", "conditional writes"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("a store that ignores %s: got %q, want it to say %q", header, err, want)
			}
		}
		if strings.Contains(err.Error(), "canary") {
			t.Errorf("the error holds the secret: %v", err)
		}
	}
}

func TestCheckTakesAStoreWithConditions(t *testing.T) {
	var out strings.Builder
	if err := check(t.Context(), onS3(t, "X-Nothing"), &out); err != nil || !strings.HasPrefix(out.String(), "ok: store r2:bucket") {
		t.Errorf("got %q, %v", out.String(), err)
	}
}
