package r2_test

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/xml"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
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

// relisted lets a server list as another one would: change is given the page.
func relisted(t *testing.T, change func(q url.Values, page *s3Page)) *r2.R2 {
	t.Helper()
	return fake(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodGet || r.URL.Query().Get("list-type") != "2" {
				h.ServeHTTP(w, r)
				return
			}
			q := r.URL.Query()
			var page s3Page
			all := url.Values{"list-type": {"2"}}
			inner := httptest.NewRequest(http.MethodGet, r.URL.Path+"?"+all.Encode(), nil)
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, inner)
			if err := xml.Unmarshal(rec.Body.Bytes(), &page); err != nil {
				t.Error(err)
			}
			change(q, &page)
			w.Header().Set("Content-Type", "application/xml")
			_ = xml.NewEncoder(w).Encode(page)
		})
	})
}

type s3Page struct {
	XMLName     xml.Name  `xml:"ListBucketResult"`
	IsTruncated bool      `xml:"IsTruncated"`
	Contents    []s3Entry `xml:"Contents"`
}

type s3Entry struct {
	Key  string `xml:"Key"`
	Size int64  `xml:"Size"`
}

// asS3 is what S3 gives of all that there is.
func asS3(q url.Values, page *s3Page) {
	var out []s3Entry
	slices.SortFunc(page.Contents, func(a, b s3Entry) int { return strings.Compare(a.Key, b.Key) })
	for _, e := range page.Contents {
		if strings.HasPrefix(e.Key, q.Get("prefix")) && e.Key > q.Get("start-after") {
			out = append(out, e)
		}
	}
	most := 1000
	if n, err := strconv.Atoi(q.Get("max-keys")); err == nil {
		most = n
	}
	page.IsTruncated = len(out) > most
	page.Contents = out[:min(most, len(out))]
}

// asHashed is what a store gives that lists by hashes of the keys.
func asHashed(q url.Values, page *s3Page) {
	sum := func(key string) string { h := sha256.Sum256([]byte(key)); return string(h[:]) }
	var out []s3Entry
	for _, e := range page.Contents {
		if after := q.Get("start-after"); strings.HasPrefix(e.Key, q.Get("prefix")) && (after == "" || sum(e.Key) > sum(after)) {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(a, b s3Entry) int { return strings.Compare(sum(a.Key), sum(b.Key)) })
	most := 1000
	if n, err := strconv.Atoi(q.Get("max-keys")); err == nil {
		most = n
	}
	page.IsTruncated = len(out) > most
	page.Contents = out[:min(most, len(out))]
}

// TestAStoreThatListsInAnotherWayIsRefused: on each of these a journal would be
// written well, and be called damaged when it is next read. What is merely unusual
// is taken.
func TestAStoreThatListsInAnotherWayIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(q url.Values, page *s3Page)
		want   string // empty: it is taken
	}{
		"as S3 does": {asS3, ""},
		"pages smaller than asked for": {func(q url.Values, p *s3Page) {
			q.Set("max-keys", "1")
			asS3(q, p)
		}, ""},
		"by number": {func(q url.Values, p *s3Page) {
			asS3(q, p)
			slices.SortStableFunc(p.Contents, func(a, b s3Entry) int { return len(a.Key) - len(b.Key) })
		}, "byte order"},
		"by hash": {asHashed, "list"},
		"backwards": {func(q url.Values, p *s3Page) {
			asS3(q, p)
			slices.Reverse(p.Contents)
		}, "byte order"},
		"StartAfter again": {func(q url.Values, p *s3Page) {
			after := q.Get("start-after")
			asS3(q, p)
			if after != "" {
				p.Contents = append([]s3Entry{{Key: after}}, p.Contents...)
			}
		}, "StartAfter"},
		"StartAfter ignored": {func(q url.Values, p *s3Page) {
			q.Del("start-after")
			asS3(q, p)
		}, "StartAfter"},
		"prefix ignored": {func(q url.Values, p *s3Page) {
			q.Del("prefix")
			asS3(q, p)
		}, "prefix"},
		"prefix up to a slash": {func(q url.Values, p *s3Page) {
			dir, _, _ := strings.Cut(q.Get("prefix"), "/")
			q.Set("prefix", dir+"/")
			asS3(q, p)
		}, "prefix"},
		"always complete": {func(q url.Values, p *s3Page) {
			asS3(q, p)
			p.IsTruncated = false
		}, "IsTruncated"},
		"never complete": {func(q url.Values, p *s3Page) {
			asS3(q, p)
			p.IsTruncated = true
		}, "IsTruncated"},
		"a part is left out": {func(q url.Values, p *s3Page) {
			asS3(q, p)
			p.Contents = slices.DeleteFunc(p.Contents, func(e s3Entry) bool { return strings.HasSuffix(e.Key, "0") })
		}, "just written"},
		"max-keys ignored": {func(q url.Values, p *s3Page) {
			q.Del("max-keys")
			asS3(q, p)
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := relisted(t, c.change)
			if name == "prefix ignored" || name == "prefix up to a slash" {
				if _, err := b.Put(t.Context(), "config/SOUL.md", nil); err != nil {
					t.Fatal(err)
				}
			}
			err := bucket.Prove(t.Context(), b)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("Prove = %v, want %q", err, c.want)
			}
		})
	}
}

// TestAPassingFaultIsNoVerdict lets the first requests fail: the store is tried
// again and found good.
func TestAPassingFaultIsNoVerdict(t *testing.T) {
	var requests atomic.Int64
	b := fake(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if n := requests.Add(1); n%4 == 1 && n < 8 {
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
