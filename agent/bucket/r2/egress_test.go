package r2_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/bucket/buckettest"
	"github.com/loongclaw/loongclaw/agent/bucket/r2"
)

// egressToken is the token of a user, made as wrangler/egress/tokens.mjs makes it of
// the key that wrangler/test/egress.mjs has.
func egressToken(user string) string {
	key, _ := hex.DecodeString(strings.Repeat("00112233445566778899aabbccddeeff", 2))
	mac := hmac.New(sha256.New, key)
	part := bucket.Segment(user)
	mac.Write([]byte(part))
	return part + "." + hex.EncodeToString(mac.Sum(nil))
}

// proxy runs the Worker's egress proxy in workerd, with its R2, once for all tests.
type proxy struct {
	base string
	cmd  *exec.Cmd
	log  logged
}

// logged keeps what a process wrote.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// startProxy runs them with further variables of the Worker.
func startProxy(t *testing.T, vars map[string]string) *proxy {
	t.Helper()
	const dir = "../../../wrangler"
	if _, err := os.Stat(filepath.Join(dir, "node_modules/node/bin/node")); err != nil {
		t.Fatalf("wrangler is not installed: %v\nNext: make wasm", err)
	}
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	_ = l.Close()
	args := []string{
		"node_modules/wrangler/bin/wrangler.js", "dev", "--config", "test/egress.jsonc", "--ip", "127.0.0.1", "--port", port,
		"--inspector-port", "0", "--persist-to", t.TempDir(), "--show-interactive-dev-session=false",
	}
	for name, value := range vars {
		args = append(args, "--var", name+":"+value)
	}
	d := &proxy{base: "http://127.0.0.1:" + port}
	d.cmd = exec.Command("node_modules/node/bin/node", args...) //nolint:gosec // pinned in package-lock.json
	d.cmd.Dir = dir
	d.cmd.Env = append(os.Environ(), "CI=1", "NO_COLOR=1", "WRANGLER_SEND_METRICS=false", "WRANGLER_SEND_ERROR_REPORTS=false",
		"CLOUDFLARE_CF_FETCH_ENABLED=false", "WRANGLER_LOG_PATH="+t.TempDir(), "XDG_CONFIG_HOME="+t.TempDir())
	d.cmd.Stdout, d.cmd.Stderr = &d.log, &d.log
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // wrangler starts workerd: both must end
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-d.cmd.Process.Pid, syscall.SIGTERM)
		_ = d.cmd.Wait()
		_ = syscall.Kill(-d.cmd.Process.Pid, syscall.SIGKILL)
		if t.Failed() {
			t.Logf("what wrangler said:\n%s", d.log.String())
		}
	})
	for end := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		if res, err := http.Get(d.base); err == nil {
			_ = res.Body.Close()
			return d
		}
		if time.Now().After(end) {
			t.Fatal("the egress proxy does not answer")
		}
	}
}

// store is the agent's own client, as it is in the container of a user.
func (d *proxy) store(user string) *r2.R2 {
	return r2.New(r2.Config{Bucket: "store", Endpoint: d.base, AccessKey: "door", SecretKey: "door", Mark: func(q *http.Request) {
		q.Header.Set("X-LoongClaw-Door", egressToken(user))
	}})
}

// below puts a bucket's keys below a prefix, so that the suite's are a user's.
type below struct {
	bucket.Bucket
	prefix string
}

func (b below) key(key string) string {
	if strings.HasPrefix(key, "config/") { // the proof's
		return key
	}
	return b.prefix + key
}

func (b below) Get(ctx context.Context, key string) (bucket.Object, error) {
	return b.Bucket.Get(ctx, b.key(key))
}

func (b below) Put(ctx context.Context, key string, body []byte) (string, error) {
	return b.Bucket.Put(ctx, b.key(key), body)
}

func (b below) Create(ctx context.Context, key string, body []byte) (string, error) {
	return b.Bucket.Create(ctx, b.key(key), body)
}

func (b below) Replace(ctx context.Context, key string, body []byte, etag string) (string, error) {
	return b.Bucket.Replace(ctx, b.key(key), body, etag)
}

func (b below) Delete(ctx context.Context, key string) error { return b.Bucket.Delete(ctx, b.key(key)) }

func (b below) List(ctx context.Context, prefix, after string, limit int) ([]bucket.Entry, bool, error) {
	if after != "" {
		after = b.key(after)
	}
	found, more, err := b.Bucket.List(ctx, b.key(prefix), after, limit)
	for i := range found {
		found[i].Key = strings.TrimPrefix(found[i].Key, b.prefix)
	}
	return found, more, err
}

func TestTheDoorIsABucket(t *testing.T) {
	d := startProxy(t, nil)
	t.Run("suite", func(t *testing.T) {
		buckettest.Run(t, below{d.store("alice"), "u/alice/"})
	})
	t.Run("a user whose name needs encoding", func(t *testing.T) {
		const user = "熊 大@example.com"
		b := d.store(user)
		key := "u/" + bucket.Segment(user) + "/files/x"
		if _, err := b.Create(t.Context(), key, []byte("x")); err != nil {
			t.Fatal(err)
		}
		if _, err := d.store("alice").Get(t.Context(), key); err == nil || errors.Is(err, bucket.ErrNotFound) {
			t.Errorf("alice reads it: %v", err)
		}
	})
	t.Run("what is another's stays closed", func(t *testing.T) { d.strangers(t) })
	t.Run("lists show what is the user's", func(t *testing.T) { d.lists(t) })
	t.Run("32 MiB", func(t *testing.T) {
		big := bytes.Repeat([]byte("0123456789abcdef"), 2<<20)
		b := d.store("alice")
		if _, err := b.Put(t.Context(), "u/alice/files/big", big); err != nil {
			t.Fatal(err)
		}
		if got, err := b.Get(t.Context(), "u/alice/files/big"); err != nil || !bytes.Equal(got.Body, big) {
			t.Errorf("got %d bytes, %v", len(got.Body), err)
		}
	})
}

// raw asks for a path that the client would not ask for.
func (d *proxy) raw(t *testing.T, method, path string, header map[string]string) (int, string) {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), method, d.base, strings.NewReader("body"))
	if err != nil {
		t.Fatal(err)
	}
	q.URL.Opaque = path
	q.Header.Set("X-LoongClaw-Door", egressToken("alice"))
	for name, value := range header {
		q.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

func (d *proxy) strangers(t *testing.T) {
	bob := d.store("bob")
	for _, key := range []string{"u/bob/files/secret", "u/alice2/files/secret"} {
		user := strings.Split(key, "/")[1]
		if _, err := d.store(user).Put(t.Context(), key, []byte("secret of "+user)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := bob.Create(t.Context(), "u/bob/log/000000000001", []byte("journal")); err != nil {
		t.Fatal(err)
	}
	create := map[string]string{"If-None-Match": "*"}
	for _, c := range []struct {
		what, method, path string
		header             map[string]string
	}{
		{"no token", "GET", "/store/u/alice/files/big", map[string]string{"X-LoongClaw-Door": ""}},
		{"a wrong token", "GET", "/store/u/alice/files/big", map[string]string{"X-LoongClaw-Door": "another"}},
		{"another's token", "GET", "/store/u/alice/files/big", map[string]string{"X-LoongClaw-Door": egressToken("bob")}},
		{"another's name on one's own token", "GET", "/store/u/bob/files/secret", map[string]string{"X-LoongClaw-Door": "bob" + strings.TrimPrefix(egressToken("alice"), "alice")}},
		{"another's object", "GET", "/store/u/bob/files/secret", nil},
		{"a name that begins alike", "GET", "/store/u/alice2/files/secret", nil},
		{"a way up", "GET", "/store/u/alice/../bob/files/secret", nil},
		{"a way up, encoded", "GET", "/store/u/alice/%2e%2e/bob/files/secret", nil},
		{"a way up, slashes encoded", "GET", "/store/u/alice%2f..%2fbob%2ffiles%2fsecret", nil},
		{"two slashes", "GET", "/store//u/bob/files/secret", nil},
		{"another's put", "PUT", "/store/u/bob/files/new", nil},
		{"another's delete", "DELETE", "/store/u/bob/files/secret", nil},
		{"another's list", "GET", "/store?list-type=2&prefix=u/bob/", nil},
		{"a list that begins alike", "GET", "/store?list-type=2&prefix=u/alice2", nil},
		{"a journal's object without a condition", "PUT", "/store/u/alice/log/000000000001", nil},
		{"a session's, replaced", "PUT", "/store/u/alice/s/x/000001/log/000000000001", map[string]string{"If-Match": `"x"`}},
		{"the configuration", "PUT", "/store/config/SOUL.md", create},
		{"the configuration, deleted", "DELETE", "/store/config/SOUL.md", nil},
		{"what is nobody's", "PUT", "/store/other", create},
		{"the user's folder itself", "PUT", "/store/u/alice/", create},
	} {
		status, body := d.raw(t, c.method, c.path, c.header)
		if status != 403 || strings.Contains(body, "secret of") {
			t.Errorf("%s: got %d %s, want 403", c.what, status, body)
		}
	}
	if got, err := bob.Get(t.Context(), "u/bob/files/secret"); err != nil || string(got.Body) != "secret of bob" {
		t.Errorf("afterwards: got %q, %v", got.Body, err)
	}
	if status, body := d.raw(t, "GET", "/store/u/alice/%zz", nil); status != 400 {
		t.Errorf("a broken encoding: got %d %s, want 400", status, body)
	}
}

func (d *proxy) lists(t *testing.T) {
	b := d.store("carol")
	const many = 1005
	var wg sync.WaitGroup
	next := make(chan int)
	for range 8 {
		wg.Go(func() {
			for i := range next {
				if _, err := b.Create(t.Context(), fmt.Sprintf("u/carol/s/s/000001/log/%012d", i), nil); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range many {
		next <- i
	}
	close(next)
	wg.Wait()
	for _, prefix := range []string{"u/carol/", "u/", ""} {
		seen, after := 0, ""
		for {
			page, more, err := b.List(t.Context(), prefix, after, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range page {
				if !strings.HasPrefix(e.Key, "u/carol/") {
					t.Fatalf("prefix %q shows %s", prefix, e.Key)
				}
			}
			seen += len(page)
			if !more {
				break
			}
			after = page[len(page)-1].Key
		}
		if seen != many {
			t.Errorf("prefix %q: got %d objects, want %d", prefix, seen, many)
		}
	}
	// How the agent finds its users: a hop behind the last key of each.
	if page, _, err := b.List(t.Context(), "u/", "u/carol0", 1); err != nil || len(page) != 0 {
		t.Errorf("after carol: got %v, %v; want nothing", page, err)
	}
}
