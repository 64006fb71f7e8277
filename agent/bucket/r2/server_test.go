package r2_test

import (
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/bucket/buckettest"
	"github.com/loongclaw/loongclaw/agent/bucket/r2"
)

// fake is an S3 server in this process, with the bucket "bucket".
func fake(t *testing.T, wrap func(http.Handler) http.Handler) *r2.R2 {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket("bucket"); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(wrap(gofakes3.New(backend).Server()))
	t.Cleanup(server.Close)
	return r2.New(r2.Config{Bucket: "bucket", Endpoint: server.URL, AccessKey: "key", SecretKey: "secret"})
}

// TestARealServerIsABucket runs the suite on the server that S3_TEST_ENDPOINT
// names, as the soak test does; without it there is the one in this process.
func TestARealServerIsABucket(t *testing.T) {
	endpoint := os.Getenv("S3_TEST_ENDPOINT")
	if endpoint == "" {
		buckettest.Run(t, fake(t, func(h http.Handler) http.Handler { return h }))
		return
	}
	b := r2.New(r2.Config{
		Bucket: os.Getenv("S3_TEST_BUCKET"), Endpoint: endpoint,
		AccessKey: os.Getenv("S3_TEST_ACCESS_KEY_ID"), SecretKey: os.Getenv("S3_TEST_SECRET_ACCESS_KEY"),
	})
	buckettest.Run(t, b)
	forged := r2.New(r2.Config{Bucket: os.Getenv("S3_TEST_BUCKET"), Endpoint: endpoint, AccessKey: os.Getenv("S3_TEST_ACCESS_KEY_ID"), SecretKey: rand.Text()})
	if _, err := forged.Put(t.Context(), "t/forged", nil); err == nil || !strings.Contains(err.Error(), "SignatureDoesNotMatch") {
		t.Errorf("a put with a wrong secret: %v, want SignatureDoesNotMatch", err)
	}
}

// TestAStoreWithoutConditionsIsRefused proves that Prove names the condition
// that a server ignores. Each is dropped by itself.
func TestAStoreWithoutConditionsIsRefused(t *testing.T) {
	for _, header := range []string{"If-None-Match", "If-Match"} {
		b := fake(t, func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				r.Header.Del(header)
				h.ServeHTTP(w, r)
			})
		})
		err := bucket.Prove(t.Context(), b)
		if err == nil || !strings.Contains(err.Error(), "does not keep "+header) {
			t.Errorf("a server that ignores %s: %v, want a refusal that names it", header, err)
		}
	}
}

// TestAPassingFaultIsNoVerdict lets the first requests fail: the store is tried
// again and found good.
func TestAPassingFaultIsNoVerdict(t *testing.T) {
	n := 0
	b := fake(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if n++; n%4 == 1 && n < 8 {
				http.Error(w, "slow down", http.StatusServiceUnavailable)
				return
			}
			h.ServeHTTP(w, r)
		})
	})
	if err := bucket.Prove(t.Context(), b); err != nil {
		t.Error(err)
	}
}
